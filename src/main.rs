//! The `rackwright` binary: everything is in the library.

fn main() -> std::process::ExitCode {
    rackwright::cli::main(std::env::args_os())
}
