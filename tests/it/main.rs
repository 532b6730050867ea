//! One test binary: stories that speak HTTP to the whole product, and the rules of the house.

mod access;
mod browser;
mod chromium;
mod cli;
mod crash;
mod deliver;
mod destinations;
mod edges;
mod ground;
mod house;
mod leads;
mod live;
mod login;
mod measure;
mod outbound;
mod plans;
mod questions;
mod running;
mod sockets;
mod sources;
mod sql;
mod stand_in;
mod story;
mod tenancy;
mod tidy;
mod touch;
