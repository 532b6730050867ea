<?php
/**
 * The tag in every page of the shop.
 */

defined( 'ABSPATH' ) || exit;

add_action( 'wp_head', 'halotrack_print_tag', 1 );

/** One line: `<script defer src="https://t.shop.example/t.js" data-site="KEY"></script>`. */
function halotrack_print_tag() {
	$settings = halotrack_settings();
	/**
	 * Filters whether the tag is printed into this page, so that a theme can leave pages out.
	 *
	 * @param bool $is_wanted True where a server address is saved.
	 */
	if ( ! apply_filters( 'halotrack_prints_tag', '' !== $settings['address'] ) ) {
		return;
	}
	$attributes = array( 'defer' => true, 'src' => $settings['address'] . '/t.js' );
	if ( '' !== $settings['site'] ) {
		$attributes['data-site'] = $settings['site'];
	}
	wp_print_script_tag( $attributes );
}
