<?php
/**
 * Plugin Name:          HaloTrack
 * Description:          Puts the HaloTrack tag into your pages and the visit onto each WooCommerce order, so that a sale finds the marketing that earned it.
 * Version:              1.0.0
 * Requires at least:    6.2
 * Requires PHP:         7.4
 * WC requires at least: 8.2
 * License:              GPL-2.0-or-later
 * License URI:          https://www.gnu.org/licenses/gpl-2.0.html
 * Text Domain:          halotrack
 *
 * This program is free software; you can redistribute it and/or modify it under the terms of the GNU General Public
 * License as published by the Free Software Foundation; either version 2 of the License, or (at your option) any later
 * version. It is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY.
 */

defined( 'ABSPATH' ) || exit;

require __DIR__ . '/includes/settings.php';
require __DIR__ . '/includes/tag.php';
require __DIR__ . '/includes/order.php';

add_action( 'before_woocommerce_init', 'halotrack_declare_compatible' );
add_filter( 'plugin_action_links_' . plugin_basename( __FILE__ ), 'halotrack_settings_link' );

/** Orders are read and written by WooCommerce's own functions alone, so that it does not matter in which tables they lie. */
function halotrack_declare_compatible() {
	$features = 'Automattic\WooCommerce\Utilities\FeaturesUtil';
	if ( class_exists( $features ) ) {
		$features::declare_compatibility( 'custom_order_tables', __FILE__, true );
		$features::declare_compatibility( 'cart_checkout_blocks', __FILE__, true );
	}
}
