//! The loader: what iPXE fetched, and whether the "kernel" in it runs.
//!
//! Owns the checks between `boot` and the first instruction: marks and digests. Fetches nothing.

use super::agent::Errand;
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

    /// Starts the kernel: what its agent is to do, or why the boot fails.
    pub fn start(&self) -> Result<Errand, String> {
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
        match (self.argument("rackwright.order"), self.argument("rackwright.agent")) {
            (Some(order), None) => Ok(Errand::Install(order.to_string())),
            (None, Some(url)) => Ok(Errand::TakeOrders(url.to_string())),
            (None, None) => Err("the agent was told neither rackwright.order nor rackwright.agent".into()),
            (Some(_), Some(_)) => Err("the agent was told to install and to take orders at once".into()),
        }
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
        assert_eq!(loaded(order).start().unwrap(), Errand::Install("http://a/o".into()));
        let agent = "rackwright.agent=http://a/x";
        assert_eq!(loaded(agent).start().unwrap(), Errand::TakeOrders("http://a/x".into()));
        assert!(loaded(&format!("{order} {agent}")).start().unwrap_err().contains("at once"));
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
