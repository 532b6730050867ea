<?php
/**
 * What the plug-in does, tried without WordPress: `php clients/wordpress/tests/run.php`. Exit code 1 if something is wrong.
 */

error_reporting( E_ALL );
set_error_handler(
	function ( $level, $message, $file, $line ) {
		throw new ErrorException( $message, 0, $level, $file, $line );
	}
);
require __DIR__ . '/wordpress.php';
require dirname( __DIR__ ) . '/halotrack/halotrack.php';

const VISIT = 'akzJ2n0QyT5bX8wLr4Vd1HsMeU9pkPq3ZtY7aB1c';
const OTHER = 'bkzJ2n0QyT5bX8wLr4Vd1HsMeU9pkPq3ZtY7aB1c';

$tests = array(
	'no tag before an address is saved' => function () {
		is( printed( 'wp_head' ), '' );
	},
	'the tag, with and without a key' => function () {
		save( array( 'address' => 'https://t.shop.example/', 'site' => 'k_9' ) );
		is( printed( 'wp_head' ), "<script defer src=\"https://t.shop.example/t.js\" data-site=\"k_9\"></script>\n" );
		save( array( 'address' => 't.shop.example/t.js', 'site' => '' ) );
		is( printed( 'wp_head' ), "<script defer src=\"https://t.shop.example/t.js\"></script>\n" );
	},
	'a theme may leave a page out' => function () {
		save( array( 'address' => 'https://t.shop.example' ) );
		add_filter( 'halotrack_prints_tag', function () {
			return false;
		} );
		is( printed( 'wp_head' ), '' );
	},
	'settings that are none become none' => function () {
		is( halotrack_clean_settings( array( 'address' => 'javascript:alert(1)', 'site' => '"><b>' ) )['site'], 'b' );
		foreach ( array( null, 'x', array( 'address' => array(), 'site' => array( 'k' ) ), array( 'address' => ' ' ) ) as $typed ) {
			is( halotrack_clean_settings( $typed ), array( 'address' => '', 'site' => '' ) );
		}
		is( halotrack_settings(), array( 'address' => '', 'site' => '' ) );
	},
	'the settings page is for administrators and keeps what was saved' => function () {
		global $page;
		save( array( 'address' => 'https://t.shop.example', 'site' => 'k"9' ) );
		do_action( 'admin_menu' );
		is( $page['capability'], 'manage_options' );
		ob_start();
		( $page['show'] )();
		$shown = ob_get_clean();
		has( $shown, 'value="https://t.shop.example"' );
		has( $shown, 'value="k9"' );
		has( $shown, 'name="halotrack[site]"' );
		has( implode( apply_filters( 'plugin_action_links_halotrack/halotrack.php', array() ) ), 'options-general.php?page=halotrack' );
	},
	'the classic checkout carries the field' => function () {
		has( printed( 'woocommerce_after_order_notes' ), 'name="halo_session_id"' );
		$_POST['halo_session_id'] = VISIT;
		$_COOKIE['_halo']         = OTHER;
		is( order_after( 'woocommerce_checkout_create_order' )->meta, array( '_halo_session' => VISIT ) );
	},
	'the checkout block carries the cookie' => function () {
		$_COOKIE['_halo'] = OTHER;
		is( order_after( 'woocommerce_store_api_checkout_update_order_from_request' )->meta, array( '_halo_session' => OTHER ) );
	},
	'an empty field leaves it to the cookie' => function () {
		$_POST['halo_session_id'] = '';
		$_COOKIE['_halo']         = OTHER;
		is( order_after( 'woocommerce_checkout_create_order' )->meta, array( '_halo_session' => OTHER ) );
	},
	'a visitor who refused leaves nothing' => function () {
		is( order_after( 'woocommerce_checkout_create_order' )->meta, array() );
	},
	'what is no id is not kept' => function () {
		foreach ( array( 'short', str_repeat( 'a', 129 ), VISIT . "\n", '<script>alert(1)</script>', array( VISIT ) ) as $told ) {
			$_POST['halo_session_id'] = $told;
			is( order_after( 'woocommerce_checkout_create_order' )->meta, array() );
		}
	},
	'the visit in which an order was begun stays' => function () {
		$order                    = new WC_Order();
		$_POST['halo_session_id'] = VISIT;
		do_action( 'woocommerce_checkout_create_order', $order, array() );
		$_POST['halo_session_id'] = OTHER;
		do_action( 'woocommerce_before_pay_action', $order );
		is( array( $order->meta, $order->saved ), array( array( '_halo_session' => VISIT ), 1 ) );
	},
	'a renewal takes no visit over' => function () {
		$data = array( '_halo_session' => VISIT, '_billing_email' => 'a@mail.example' );
		is( apply_filters( 'wc_subscriptions_renewal_order_data', $data ), array( '_billing_email' => 'a@mail.example' ) );
	},
	'both ways of storing orders are declared' => function () {
		do_action( 'before_woocommerce_init' );
		is( Automattic\WooCommerce\Utilities\FeaturesUtil::$declared, array( 'custom_order_tables' => true, 'cart_checkout_blocks' => true ) );
	},
);

/** Saves settings as the page would. */
function save( $typed ) {
	global $options, $page;
	do_action( 'admin_init' );
	$options[ $page['option'] ] = ( $page['clean'] )( $typed );
}

function order_after( $action ) {
	$order = new WC_Order();
	do_action( $action, $order, array() );
	return $order;
}

function is( $got, $want ) {
	if ( $got !== $want ) {
		throw new Exception( 'got ' . var_export( $got, true ) . ', expected ' . var_export( $want, true ) );
	}
}

function has( $text, $part ) {
	if ( false === strpos( $text, $part ) ) {
		throw new Exception( "no $part in $text" );
	}
}

$registered = $hooks;
$failed     = 0;
foreach ( $tests as $name => $test ) {
	$hooks   = $registered;
	$options = $page = $_POST = $_COOKIE = array();
	try {
		$test();
	} catch ( Throwable $wrong ) {
		++$failed;
		echo "not so: $name: ", $wrong->getMessage(), "\n";
	}
}
echo count( $tests ) - $failed, ' of ', count( $tests ), " as expected\n";
exit( $failed ? 1 : 0 );
