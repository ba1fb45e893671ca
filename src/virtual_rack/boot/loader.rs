//! The loader: what iPXE fetched, and whether the "kernel" in it runs.
//!
//! Owns the checks between `boot` and the first instruction: marks and digests. Fetches nothing.

use super::http::Payload;

const KERNEL_MARK: &str = "rackwright virtual kernel: agent";
const RAMDISK_MARK: &str = "rackwright virtual ramdisk: agent";

/// Images in the memory of iPXE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    pub kernel: Option<Payload>,
    pub arguments: Vec<String>,
    pub ramdisks: Vec<Payload>,
}

impl Loaded {
    /// The value of `name=` on the kernel's command line.
    fn argument(&self, name: &str) -> Option<&str> {
        self.arguments.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    /// Starts the kernel: the address of the agent's order, or why the boot fails.
    pub fn start(&self) -> Result<String, String> {
        let kernel = self.kernel.as_ref().ok_or("there is no kernel to boot")?;
        let ramdisk = self.ramdisks.first().ok_or("kernel panic: there is no ramdisk")?;
        checked("kernel", self.argument("rackwright.kernel"), kernel)?;
        checked("ramdisk", self.argument("rackwright.initrd"), ramdisk)?;
        if kernel.first_line != KERNEL_MARK {
            return Err("kernel panic: the kernel is none that runs here".into());
        }
        if ramdisk.first_line != RAMDISK_MARK {
            return Err("kernel panic: the ramdisk holds no agent".into());
        }
        let order = self.argument("rackwright.order").ok_or("the agent was told no rackwright.order")?;
        Ok(order.to_string())
    }
}

fn checked(what: &str, wanted: Option<&str>, payload: &Payload) -> Result<(), String> {
    match wanted {
        Some(wanted) if !wanted.eq_ignore_ascii_case(&payload.checksum) => {
            Err(format!("the {what} has digest {}, not {wanted}", payload.checksum))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(first_line: &str) -> Payload {
        Payload { first_line: first_line.into(), checksum: "sha256:aa".into() }
    }

    fn loaded(arguments: &str) -> Loaded {
        Loaded {
            kernel: Some(payload(KERNEL_MARK)),
            arguments: arguments.split_whitespace().map(String::from).collect(),
            ramdisks: vec![payload(RAMDISK_MARK)],
        }
    }

    #[test]
    fn digests_and_marks_decide() {
        let order = "rackwright.order=http://a/o";
        assert_eq!(loaded(order).start().unwrap(), "http://a/o");
        assert!(loaded(&format!("{order} rackwright.kernel=sha256:AA")).start().is_ok());
        assert!(
            loaded(&format!("{order} rackwright.initrd=sha256:bb")).start().unwrap_err().contains("digest")
        );
        assert!(loaded("").start().is_err());
        assert!(Loaded::default().start().is_err());
        let other = Loaded { kernel: Some(payload("ELF")), ..loaded(order) };
        assert!(other.start().unwrap_err().contains("panic"));
    }
}
