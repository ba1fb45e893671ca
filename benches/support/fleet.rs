//! A fleet by pattern, of any size.

use super::support::copy_payloads;
use std::path::Path;

/// Writes a design of `nodes` nodes by pattern, with the lab's payloads.
pub fn design(folder: &Path, nodes: usize) {
    copy_payloads(folder);
    let racks = nodes.div_ceil(100);
    let kdl = format!(
        r#"
site "fleet" {{ first-install "allow" }}
network "pxe" {{ cidr "10.32.0.0/11"; dhcp mode="server" {{ range "10.32.0.10" "10.35.255.250"; lease "1h" }} }}
hardware "virtual-1u" {{ vendor "Rackwright"; boot-mode "uefi"; bios {{ ProcVirtualization "Enabled"; LogicalProc "Enabled" }} }}
profile "compute" {{ hardware "virtual-1u"; image "debian-12"; power "on"; kernel-param "console" "ttyS0,115200" }}
nodes "r{{rack:03}}-n{{slot:02}}" rack="1..{racks}" slot="0..99" profile="compute" {{
    bmc "redfish" address="https://10.{{rack}}.0.{{slot}}" user="root" password=(secret)"env:BMC_PASSWORD"
    boot-mac "52:54:00:{{rack:02x}}:00:{{slot:02x}}"
}}
"#
    );
    std::fs::write(folder.join("site.kdl"), kdl).expect("the design");
}
