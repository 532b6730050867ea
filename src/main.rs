//! The binary: hands over to the command line.

/// A request allocates a few hundred small texts; the system's allocator takes a sixth of its time for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    halotrack::cli::run()
}
