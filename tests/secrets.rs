//! `validate` shows no secret that somebody wrote in clear text, in words or as JSON, wherever in the design it stands.

mod common;

use common::{Lab, rackwright};

const PLANTED: &str = "hunter2";

#[test]
fn clear_text_is_shown_nowhere() {
    let lab = Lab::small(1);
    lab.write(
        "planted.kdl",
        r#"
profile "p" { bmc "redfish" password="hunter2" }
profile "q" { bmc "redfish" passwrod="hunter2"; param "t" (secret)"hunter2" }
nodes "m{i}" i="1..2" { bmc "redfish" address="https://root:hunter2@10.0.0.{i}" password=(secret)"hunter2{i}" }
nodes "k{i}" i="1..2" { bmc "redfish" password=(secret)"{i}hunter2" }
inventory "inventory/a.csv" profile="p"
inventory "inventory/b.csv" key="host"
"#,
    );
    lab.write("broken.kdl", "switch \"s\" {\n    password \"hunter2\"\n    oops\n    (\n}\n");
    lab.write(
        "inventory/a.csv",
        "name,bmc.password,owner-data.a\n# a\n\n# b\nx1,hunter2,\"a\nb\"\nx2,env:A,hunter2,hunter2\n",
    );
    lab.write("inventory/b.csv", "name,bmc.password\nx3,hunter2\n");
    for more in [&[][..], &["--json"], &["--strict"]] {
        let output = rackwright(&[&["validate", lab.design()], more].concat()).exits(3);
        let said = [output.stdout.as_str(), &output.stderr].concat();
        assert!(said.contains("RW0014") && said.contains("inventory/a.csv"), "{said}");
        assert!(!said.contains(PLANTED), "{said}");
    }
}
