//! What the benchmarks share: payloads, sizes.

use std::path::Path;

/// The lab's image and what machines fetch of it.
pub fn copy_payloads(folder: &Path) {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("designs/lab");
    copy(&lab.join("files"), &folder.join("files"));
    std::fs::copy(lab.join("images.kdl"), folder.join("images.kdl")).expect("the lab's images");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder to copy") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        match path.is_dir() {
            true => copy(&path, &target),
            false => std::fs::copy(&path, &target).map(|_| ()).expect("a copy"),
        }
    }
}

/// Nodes, from the first argument that is a number; for a quick look or a larger one.
pub fn sizes(default: &[usize]) -> Vec<usize> {
    let given: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    if given.is_empty() { default.to_vec() } else { given }
}
