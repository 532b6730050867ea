<?php
/**
 * The visit on the order: what the tag knows of the browser goes into the meta data `_halo_session`, which webhooks and
 * the REST API of WooCommerce carry along.
 */

defined( 'ABSPATH' ) || exit;

const HALOTRACK_META = '_halo_session';

// The classic checkout, the checkout block and express payments (Store API), and the page on which an older order is paid.
add_action( 'woocommerce_after_order_notes', 'halotrack_print_field' );
add_action( 'woocommerce_pay_order_before_submit', 'halotrack_print_field' );
add_action( 'woocommerce_checkout_create_order', 'halotrack_note_visit', 10, 1 );
add_action( 'woocommerce_store_api_checkout_update_order_from_request', 'halotrack_note_visit', 10, 1 );
add_action( 'woocommerce_before_pay_action', 'halotrack_note_visit_now', 10, 1 );
// A renewal is no visit: the browser of the first order earned it once.
add_filter( 'wc_subscriptions_renewal_order_data', 'halotrack_forget_visit', 10, 1 );

/** The tag fills the field, and again whenever WooCommerce puts a new one in its place. */
function halotrack_print_field() {
	echo '<input type="hidden" name="halo_session_id" value="" autocomplete="off">';
}

/**
 * Notes the visit on an order that is about to be saved. A visit that is known already stays: the order was begun in it.
 *
 * @param WC_Order $order The order.
 */
function halotrack_note_visit( $order ) {
	$session = halotrack_session();
	if ( null === $session || '' !== (string) $order->get_meta( HALOTRACK_META, true ) ) {
		return;
	}
	$order->update_meta_data( HALOTRACK_META, $session );
}

/**
 * The same for an order that nobody is about to save.
 *
 * @param WC_Order $order The order.
 */
function halotrack_note_visit_now( $order ) {
	halotrack_note_visit( $order );
	$order->save_meta_data();
}

/** The id of the visit: what the tag wrote into the form, else its cookie; null where there is neither. */
function halotrack_session() {
	// phpcs:disable WordPress.Security.NonceVerification.Missing -- an id that its server has signed, of no use to a forger.
	foreach ( array( $_POST['halo_session_id'] ?? null, $_COOKIE['_halo'] ?? null ) as $told ) {
		if ( is_string( $told ) && preg_match( '/^[A-Za-z0-9_.-]{16,128}$/D', $told ) ) {
			return $told;
		}
	}
	// phpcs:enable
	return null;
}

/**
 * @param array $data Meta data that a renewal takes over from its subscription, by key.
 */
function halotrack_forget_visit( $data ) {
	if ( is_array( $data ) ) {
		unset( $data[ HALOTRACK_META ] );
	}
	return $data;
}
