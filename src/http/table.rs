//! All routes, grouped by who calls and what for. The router, the OpenAPI file and the access test are made from this.
//! What the API page says of a route stands beside its handler.

mod affiliates;
mod funnel;
mod hands;
mod kept;
mod pages;
mod questions;
mod reports;
mod told;

use super::route::Route;

const GROUPS: &[&[Route]] =
    &[pages::ROUTES, told::ROUTES, funnel::ROUTES, hands::ROUTES, affiliates::ROUTES, questions::ROUTES, reports::ROUTES, kept::ROUTES];

pub static ROUTES: &[Route] = &joined::<{ count() }>();

const fn count() -> usize {
    let (mut n, mut group) = (0, 0);
    while group < GROUPS.len() {
        n += GROUPS[group].len();
        group += 1;
    }
    n
}

/// The groups as one list, while the program is compiled.
const fn joined<const N: usize>() -> [Route; N] {
    let mut all = [GROUPS[0][0]; N];
    let (mut place, mut group) = (0, 0);
    while group < GROUPS.len() {
        let mut n = 0;
        while n < GROUPS[group].len() {
            all[place] = GROUPS[group][n];
            (place, n) = (place + 1, n + 1);
        }
        group += 1;
    }
    all
}
