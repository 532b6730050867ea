<?php
/**
 * The settings go with the plug-in. Visits on orders belong to the orders and stay.
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

delete_option( 'halotrack' );
