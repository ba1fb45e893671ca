//! A secret in clear text is in no finding and in no text around one, wherever in a design it was written.

use super::{BASE, compiled, shown};

const PLANTED: &str = "hunter2";

const IN_DESIGNS: &[&str] = &[
    r#"profile "p" { bmc "redfish" password="hunter2" }"#,
    r#"profile "p" { bmc "redfish" password=(secret)"hunter2" }"#,
    r#"profile "p" { bmc "redfish" passwrod="hunter2" }"#,
    r#"profile "p" { bmc "redfish" pwd="hunter2" }"#,
    r#"profile "p" { bmc "redfish" password=(secret)"env:A" password="hunter2" }"#,
    r#"profile "p" { bcm "redfish" password=(secret)"hunter2" }"#,
    r#"profil "p" { bmc "redfish" password="hunter2" }"#,
    r#"profile "p" { bmc "redfish" password="hunter2" "#,
    r#"profile "p" { param "t" (secret)"hunter2"; }"#,
    r#"profile "p" { param "t" (secrt)"hunter2"; }"#,
    r#"profile "p" { power (secret)"hunter2" }"#,
    "profile \"p\" { bmc \"redfish\" passwd=\"hunter2\"\n oops }",
    "profile \"p\" {\n oops\n // the old password: hunter2\n}",
    r#"switch "s" { address "10.0.0.1"; password "hunter2" }"#,
    r#"switch "s" { address "10.0.0.1"; pasword "hunter2" }"#,
    r#"switch "s" { uri "https://root:hunter2@10.0.0.1/" }"#,
    r#"node "n02" profile="base" { bmc "redfish" address="https://root:hunter2@10.0.0.1" }"#,
    r#"node "n02" profile="base" { bmc "redfish" address="root:hunter2@10.0.0.1" }"#,
    r#"network "n" { cidr "https://root:hunter2@10.0.0.1" }"#,
    r#"nodes "m{i}" i="1..2" { bmc "redfish" password="hunter2{i}" }"#,
    r#"nodes "m{i}" i="1..2" { bmc "redfish" password=(secret)"hunter{i}" }"#,
    r#"nodes "m{i}" i="1..2" { bmc "redfish" password=(secret)"{i}hunter2" }"#,
    r#"nodes "m{i}" i="1..2" { bmc "redfish" password=(secret)"hunter2{" }"#,
    r#"nodes "m{i}" i="1..2" { bmc "redfish" password=(secret)"{hunter2}" }"#,
    r#"nodes "m{i}" i="1..2" { bmc "redfish" password=(secret)"{hunter2" }"#,
    r#"nodes "m{i}" i="1..2" { bmc "redfish" address="https://root:hunter{i}@10.0.0.1" }"#,
];

/// Tables, and what the `inventory` says beside `profile=`.
const IN_TABLES: &[(&str, &str)] = &[
    ("", "name,bmc.password,boot-mac\nm1,hunter2,x\n"),
    ("", "name,bmc.password,boot-mac\n# a comment\n\n# another\nm1,hunter2,x\n"),
    ("", "# a comment\nname,bmc.password\r\nm1,env:A\r\n# x\r\nm2,hunter2\r\n"),
    ("", "name,owner-data.a,bmc.password\nm1,\"x\ny\",\"hunter2\"\nm2,\"x\n\nhunter2\",hunter2\n"),
    ("", "name,owner-data.a,bmc.password\nm1,\"x\",\"\nhunter2\"\n"),
    ("", "name,bmc.password\nm1,\"hunter2\nnode,x\n"),
    ("", "host,bmc.password\nm1,hunter2\n"),
    ("", "name,passwort\nm1,hunter2\n"),
    ("", "name,boot-mac\nm1,52:54:00:12:35:01,hunter2\nm2,52:54:00:12:35:02,\"a\nhunter2\"\n"),
    ("", "name,boot-mac,\nm1,52:54:00:12:35:01,hunter2\n"),
    ("", "m1,hunter2\nm2,hunter2\n"),
    ("", "m1,boot-mac,hunter2\nm2,x,hunter2\n"),
    ("key=\"host\"", "m1,boot-mac,hunter2\nm2,x,hunter2\n"),
    ("", "name;bmc.password\nm1;hunter2\n"),
    ("", "name,bmc.address\nm1,https://root:hunter2@10.0.0.1\n"),
    ("", "name,bmc.address\nm1,root:hunter2@10.0.0.1\n"),
    ("", "name,bmc.password,bmc.password\nm1,hunter2,hunter2\n"),
    ("key=\"host\"", "host,bmc.password,name\nm1,hunter2,m1\n"),
    ("", "\u{feff}name,bmc.password\nm1,hunter2\n"),
    ("ignore", "name,pw,boot-mac\nm1,hunter2,x\n"),
];

fn keeps(files: &[(&str, &str)], what: &str) {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let compiled = compiled(&files);
    assert!(!compiled.findings.is_empty(), "{what}");
    let findings: String = compiled.findings.iter().map(shown).collect();
    assert!(!findings.contains(PLANTED), "{what}\n{findings}");
    for (file, text) in &compiled.texts {
        let pointed_at =
            compiled.findings.iter().filter_map(|it| it.place.as_ref()).any(|it| it.file == *file);
        assert!(!pointed_at || !text.contains(PLANTED), "{what}\n{text}");
    }
}

#[test]
fn of_a_design() {
    for text in IN_DESIGNS {
        keeps(&[("base.kdl", BASE), ("x.kdl", text)], text);
    }
}

#[test]
fn of_a_table() {
    for (said, table) in IN_TABLES {
        let text = match *said {
            "ignore" => "inventory \"inventory/a.csv\" profile=\"base\" { ignore \"pw\" }".to_string(),
            said => format!("inventory \"inventory/a.csv\" profile=\"base\" {said}"),
        };
        keeps(&[("base.kdl", BASE), ("x.kdl", &text), ("inventory/a.csv", table)], table);
    }
}
