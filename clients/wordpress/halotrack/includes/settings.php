<?php
/**
 * The page Settings › HaloTrack: where the server is, and which site this is there.
 */

defined( 'ABSPATH' ) || exit;

add_action( 'admin_menu', 'halotrack_add_page' );
add_action( 'admin_init', 'halotrack_register_settings' );

/** The stored settings, whole even where nothing was saved yet. */
function halotrack_settings() {
	$stored = get_option( 'halotrack', array() );
	return array_merge( array( 'address' => '', 'site' => '' ), is_array( $stored ) ? $stored : array() );
}

/** What the owner typed, as it is stored: an address without a slash at its end, a key without what no key has. */
function halotrack_clean_settings( $typed ) {
	$typed   = array_filter( is_array( $typed ) ? $typed : array(), 'is_string' );
	$address = trim( $typed['address'] ?? '' );
	if ( '' !== $address && ! preg_match( '#^https?://#i', $address ) ) {
		$address = 'https://' . $address;
	}
	$address = rtrim( preg_replace( '#/t\.js$#', '', esc_url_raw( $address, array( 'http', 'https' ) ) ), '/' );
	$site    = preg_replace( '/[^A-Za-z0-9_-]/', '', $typed['site'] ?? '' );
	return array( 'address' => $address, 'site' => substr( $site, 0, 64 ) );
}

function halotrack_add_page() {
	add_options_page( 'HaloTrack', 'HaloTrack', 'manage_options', 'halotrack', 'halotrack_show_page' );
}

function halotrack_register_settings() {
	register_setting( 'halotrack', 'halotrack', array( 'type' => 'array', 'sanitize_callback' => 'halotrack_clean_settings' ) );
	add_settings_section( 'halotrack', '', 'halotrack_show_section', 'halotrack' );
	$fields = array(
		'address' => array(
			__( 'Server address', 'halotrack' ),
			__( 'Where your HaloTrack answers, best on a name of your own domain: https://t.shop.example.', 'halotrack' ),
		),
		'site'    => array(
			__( 'Site key', 'halotrack' ),
			__( 'Shown in HaloTrack under Settings › Tag. Leave it empty if the server knows this site by its domain.', 'halotrack' ),
		),
	);
	foreach ( $fields as $key => list( $label, $help ) ) {
		add_settings_field( "halotrack_$key", $label, 'halotrack_show_field', 'halotrack', 'halotrack', array( 'key' => $key, 'help' => $help, 'label_for' => "halotrack_$key" ) );
	}
}

function halotrack_show_section() {
	echo '<p>' . esc_html__( 'The tag is printed into every page as soon as an address is saved.', 'halotrack' ) . '</p>';
}

function halotrack_show_field( $field ) {
	$value = halotrack_settings()[ $field['key'] ];
	printf(
		'<input class="regular-text" type="%1$s" id="halotrack_%2$s" name="halotrack[%2$s]" value="%3$s"><p class="description">%4$s</p>',
		'address' === $field['key'] ? 'url' : 'text',
		esc_attr( $field['key'] ),
		esc_attr( $value ),
		esc_html( $field['help'] )
	);
}

function halotrack_show_page() {
	echo '<div class="wrap"><h1>HaloTrack</h1><form method="post" action="options.php">';
	settings_fields( 'halotrack' );
	do_settings_sections( 'halotrack' );
	submit_button();
	echo '</form></div>';
}

function halotrack_settings_link( $links ) {
	$link = '<a href="' . esc_url( admin_url( 'options-general.php?page=halotrack' ) ) . '">' . esc_html__( 'Settings', 'halotrack' ) . '</a>';
	array_unshift( $links, $link );
	return $links;
}
