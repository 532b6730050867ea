//! One test binary: stories that speak HTTP to the whole product, and the rules of the house.

mod destinations;
mod edges;
mod ground;
mod house;
mod login;
mod measure;
mod outbound;
mod sources;
mod stand_in;
