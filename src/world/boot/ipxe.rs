//! iPXE scripts: a pure function from what a machine boots to the text that it runs.
//!
//! iPXE splits lines at spaces, expands `${…}`, and takes `||`, `&&` and `;` for operators. Values come from a design
//! and from the store; one that could break out of its place makes the script an error, never another script.

use super::desk::NetImage;
use super::links::Links;

/// A value that cannot stand in a script.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {what} {value:?} cannot stand in a boot script")]
pub(super) struct Unfit {
    pub what: &'static str,
    pub value: String,
}

/// The script of a machine without a boot ticket: on to the next boot device.
pub(super) fn disk(node: &str) -> Result<String, Unfit> {
    Ok(format!("#!ipxe\necho Rackwright: {} boots from its next device\nexit\n", word("node name", node)?))
}

/// The script of a machine that installs.
pub(super) fn install(links: &Links, node: &str, key: &str, image: &NetImage) -> Result<String, Unfit> {
    let says = format!("{} installs {}", word("node name", node)?, word("image name", &image.name)?);
    ramdisk(links, &says, ("rackwright.order", &links.order(key)), image)
}

/// The script of a machine whose agent is to take orders.
pub(super) fn agent(links: &Links, node: &str, key: &str, image: &NetImage) -> Result<String, Unfit> {
    let says = format!("{} waits for orders", word("node name", node)?);
    ramdisk(links, &says, ("rackwright.agent", &links.agent(key)), image)
}

/// Boots the kernel and the ramdisk of an image. It tries for ever: whoever holds the ticket says when it is enough.
fn ramdisk(
    links: &Links,
    says: &str,
    (parameter, url): (&str, &str),
    image: &NetImage,
) -> Result<String, Unfit> {
    let kernel = links.file(&image.kernel);
    let initrd = links.file(&image.initrd);
    let initrd = word("ramdisk URL", &initrd)?;
    let file = initrd.split(['?', '#']).next().unwrap_or(initrd).rsplit('/').next().unwrap_or(initrd);
    let mut line = format!("kernel {} initrd={file}", word("kernel URL", &kernel)?);
    line.push_str(&format!(" {parameter}={}", word("order URL", url)?));
    for (name, checksum) in [("kernel", &image.kernel_checksum), ("initrd", &image.initrd_checksum)] {
        if let Some(checksum) = checksum {
            line.push_str(&format!(" rackwright.{name}={}", word("checksum", checksum)?));
        }
    }
    for parameter in &image.params {
        line.push_str(&format!(" {}", word("kernel parameter", parameter)?));
    }
    let lines = [
        "#!ipxe".to_string(),
        format!("echo Rackwright: {says}"),
        ":retry".into(),
        format!("{line} || goto again"),
        format!("initrd {initrd} || goto again"),
        "boot || goto again".into(),
        ":again".into(),
        "sleep 2".into(),
        "goto retry".into(),
    ];
    Ok(lines.join("\n") + "\n")
}

/// `value` when it is one word of printable ASCII without quoting, expansion or operators.
fn word<'a>(what: &'static str, value: &'a str) -> Result<&'a str, Unfit> {
    let plain = value.bytes().all(|byte| byte.is_ascii_graphic() && !br#""'\`$"#.contains(&byte));
    let operator = matches!(value, "||" | "&&" | ";") || value.starts_with('#');
    if plain && !operator && !value.is_empty() && value.len() <= 2048 {
        return Ok(value);
    }
    Err(Unfit { what, value: value.chars().take(80).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> NetImage {
        NetImage {
            name: "debian-12".into(),
            kernel: "files/boot/agent.kernel".into(),
            initrd: "files/boot/agent.initrd".into(),
            kernel_checksum: Some("sha256:aa".into()),
            initrd_checksum: Some("sha256:bb".into()),
            params: vec!["console=ttyS0".into()],
        }
    }

    #[test]
    fn an_install_script_is_as_the_machines_expect_it() {
        let links = Links::new("http://A").unwrap();
        let script = install(&links, "n01", "KEY", &image()).unwrap();
        assert_eq!(
            script,
            "#!ipxe\n\
             echo Rackwright: n01 installs debian-12\n\
             :retry\n\
             kernel http://A/files/boot/agent.kernel initrd=agent.initrd rackwright.order=http://A/boot/order/KEY \
             rackwright.kernel=sha256:aa rackwright.initrd=sha256:bb console=ttyS0 || goto again\n\
             initrd http://A/files/boot/agent.initrd || goto again\n\
             boot || goto again\n\
             :again\n\
             sleep 2\n\
             goto retry\n"
        );
    }

    #[test]
    fn the_script_of_an_agent_differs_in_what_its_kernel_is_told() {
        let links = Links::new("http://A").unwrap();
        let script = agent(&links, "n01", "KEY", &image()).unwrap();
        let install = install(&links, "n01", "KEY", &image()).unwrap();
        assert!(
            script
                .contains("initrd=agent.initrd rackwright.agent=http://A/boot/agent/KEY rackwright.kernel=")
        );
        let as_install = script
            .replace("waits for orders", "installs debian-12")
            .replace("rackwright.agent=http://A/boot/agent/", "rackwright.order=http://A/boot/order/");
        assert_eq!(as_install, install);
        assert!(agent(&links, "n 01", "KEY", &image()).is_err());
    }

    #[test]
    fn a_script_without_a_ticket_exits() {
        assert_eq!(disk("n01").unwrap(), "#!ipxe\necho Rackwright: n01 boots from its next device\nexit\n");
    }

    #[test]
    fn values_cannot_break_out() {
        let links = Links::new("http://A").unwrap();
        for hostile in ["a b", "a\nshell", "${net0/mac}", "||", "&&", ";", "", "a\"b", "#x", "é"] {
            assert!(disk(hostile).is_err(), "{hostile}");
            assert!(install(&links, hostile, "KEY", &image()).is_err(), "{hostile}");
            let with = NetImage { params: vec![hostile.into()], ..image() };
            assert!(install(&links, "n01", "KEY", &with).is_err(), "{hostile}");
            let with = NetImage { kernel: format!("files/{hostile} x"), ..image() };
            assert!(install(&links, "n01", "KEY", &with).is_err(), "{hostile}");
        }
    }
}
