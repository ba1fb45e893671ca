//! `init`: a small working design to start from.

use super::exit::{CliError, Exit};
use crate::view::out;
use include_dir::{Dir, include_dir};
use std::path::{Path, PathBuf};

static LAB: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/designs/lab");

/// Make a small working design.
#[derive(clap::Args)]
pub struct Args {
    /// The folder to make it in.
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Which design to start from.
    #[arg(long, default_value = "lab", value_parser = ["lab"])]
    template: String,
}

pub fn run(args: &Args) -> Result<Exit, CliError> {
    let folder = &args.folder;
    let failed = |path: &Path, error: std::io::Error| {
        CliError::new(Exit::Fault, format!("`{}` cannot be written: {error}", path.display()))
    };
    let occupied = std::fs::read_dir(folder)
        .map(|entries| {
            entries.flatten().any(|entry| entry.path().extension().is_some_and(|ending| ending == "kdl"))
        })
        .unwrap_or(false);
    if occupied {
        return Err(CliError::new(Exit::Usage, format!("`{}` holds a design already", folder.display()))
            .help("name another folder"));
    }
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    write(&LAB, folder).map_err(|(path, error)| failed(&path, error))?;
    out::result(&format!(
        "A {} design is in {}. Try it: rackwright apply {} --virtual --yes",
        args.template,
        folder.display(),
        folder.display()
    ));
    Ok(Exit::Done)
}

fn write(from: &Dir<'_>, to: &Path) -> Result<(), (PathBuf, std::io::Error)> {
    for file in from.files() {
        let path = to.join(file.path());
        if file.path().starts_with(".rackwright") {
            continue;
        }
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| (path.clone(), error))?;
        }
        std::fs::write(&path, file.contents()).map_err(|error| (path.clone(), error))?;
    }
    for folder in from.dirs().filter(|folder| !folder.path().starts_with(".rackwright")) {
        write(folder, to)?;
    }
    Ok(())
}
