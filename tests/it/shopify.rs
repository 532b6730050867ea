//! Shopify, from the credentials to the uninstalled app: a shop on loopback that behaves like the real one.

mod shop;
mod theme;
