//! One test binary: stories that speak HTTP to the whole product, and the rules of the house.

mod cli;
mod edges;
mod house;
mod login;
mod outbound;
mod sql;
mod stand_in;
mod tidy;
