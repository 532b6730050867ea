//! One binary for all stories: fast to link.

mod ground;
mod measure;
