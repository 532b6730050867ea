//! One test binary: stories that speak HTTP to the whole product, and the rules of the house.

mod access;
mod destinations;
mod edges;
mod house;
mod login;
mod outbound;
mod sockets;
mod stand_in;
