<?php
/**
 * As much of WordPress and WooCommerce as the plug-in touches, in memory: hooks, options, one order.
 */

namespace Automattic\WooCommerce\Utilities {
	class FeaturesUtil {
		public static $declared = array();

		public static function declare_compatibility( $feature, $file, $is_compatible ) {
			self::$declared[ $feature ] = $is_compatible && is_file( $file );
		}
	}
}

namespace {
	define( 'ABSPATH', __DIR__ );

	$hooks   = array();
	$options = array();

	class WC_Order {
		public $meta  = array();
		public $saved = 0;

		public function get_meta( $key, $is_single = true ) {
			return $this->meta[ $key ] ?? '';
		}

		public function update_meta_data( $key, $value ) {
			$this->meta[ $key ] = $value;
		}

		public function save_meta_data() {
			++$this->saved;
		}
	}

	function add_action( $name, $callback, $priority = 10, $count = 1 ) {
		add_filter( $name, $callback, $priority, $count );
	}

	function add_filter( $name, $callback, $priority = 10, $count = 1 ) {
		global $hooks;
		$hooks[ $name ][] = array( $callback, $count );
	}

	function apply_filters( $name, $value, ...$more ) {
		global $hooks;
		foreach ( $hooks[ $name ] ?? array() as list( $callback, $count ) ) {
			$value = $callback( ...array_slice( array( $value, ...$more ), 0, $count ) );
		}
		return $value;
	}

	function do_action( $name, ...$given ) {
		global $hooks;
		foreach ( $hooks[ $name ] ?? array() as list( $callback, $count ) ) {
			$callback( ...array_slice( $given, 0, $count ) );
		}
	}

	/** What an action prints. */
	function printed( $name, ...$given ) {
		ob_start();
		do_action( $name, ...$given );
		return ob_get_clean();
	}

	function get_option( $name, $default = false ) {
		global $options;
		return $options[ $name ] ?? $default;
	}

	function wp_print_script_tag( $attributes ) {
		echo '<script';
		foreach ( $attributes as $name => $value ) {
			echo true === $value ? " $name" : sprintf( ' %s="%s"', $name, esc_attr( $value ) );
		}
		echo "></script>\n";
	}

	function esc_attr( $text ) {
		return htmlspecialchars( $text, ENT_QUOTES );
	}

	function esc_html( $text ) {
		return htmlspecialchars( $text, ENT_QUOTES );
	}

	function esc_url( $url ) {
		return esc_attr( $url );
	}

	function esc_url_raw( $url, $protocols = array() ) {
		$scheme = strtolower( (string) parse_url( $url, PHP_URL_SCHEME ) );
		return in_array( $scheme, $protocols, true ) ? preg_replace( '/[^A-Za-z0-9:\/._~?&=%#@+-]/', '', $url ) : '';
	}

	function __( $text ) {
		return $text;
	}

	function esc_html__( $text ) {
		return esc_html( $text );
	}

	function admin_url( $path ) {
		return "https://shop.example/wp-admin/$path";
	}

	function plugin_basename( $file ) {
		return 'halotrack/' . basename( $file );
	}

	$page = array();

	function add_options_page( $title, $menu, $capability, $slug, $callback ) {
		global $page;
		$page += array( 'capability' => $capability, 'show' => $callback );
	}

	function register_setting( $group, $name, $about ) {
		global $page;
		$page += array( 'option' => $name, 'clean' => $about['sanitize_callback'] );
	}

	function add_settings_section( $id, $title, $callback ) {
		global $page;
		$page['section'] = $callback;
	}

	function add_settings_field( $id, $label, $callback, $slug, $section, $field ) {
		global $page;
		$page['fields'][] = array( $callback, $field );
	}

	function settings_fields( $group ) {
		echo "<input type='hidden' name='option_page' value='$group'>";
	}

	function do_settings_sections( $slug ) {
		global $page;
		( $page['section'] )();
		foreach ( $page['fields'] as list( $callback, $field ) ) {
			$callback( $field );
		}
	}

	function submit_button() {
		echo '<button>Save</button>';
	}
}
