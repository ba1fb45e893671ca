//! Design URIs: what each form means, what is refused, and that no text is too strange and no secret is repeated.

use super::*;
use proptest::prelude::*;

fn git(url: &str, reference: Option<&str>, subdir: &str, login: Option<Login>) -> Place {
    Place::Git(Git { url: url.into(), reference: reference.map(Into::into), subdir: subdir.into(), login })
}

fn folder(path: &str, revision: Option<&str>) -> Place {
    Place::Folder { path: path.into(), revision: revision.map(Into::into) }
}

fn resource(url: &str, digest: Option<&str>, login: Option<Login>) -> Resource {
    Resource { url: url.into(), digest: digest.map(str::to_lowercase), login }
}

fn basic(user: &str, password: &str) -> Option<Login> {
    Some(Login::Basic { user: user.into(), password: password.into() })
}

#[track_caller]
fn refused(text: &str, with: &str) {
    let error = Place::parse(text).unwrap_err().to_string();
    assert!(error.contains(with), "{text}: {error}");
}

#[test]
fn every_form_is_understood() {
    let digest = "AB".repeat(32);
    let archive = |url: &str, gzip, digest: Option<&str>, subdir: &str, login| {
        Place::Archive(Archive { resource: resource(url, digest, login), gzip, subdir: subdir.into() })
    };
    for (text, place) in [
        (".", folder(".", None)),
        ("designs/lab?x", folder("designs/lab?x", None)),
        ("file:///srv/a%20b//c", folder("/srv/a b//c", None)),
        ("file://localhost/srv?ref=v1", folder("/srv", Some("v1"))),
        (
            "git+file:///srv/d.git//sites/fra1?ref=release/1.2",
            git("/srv/d.git", Some("release/1.2"), "sites/fra1", None),
        ),
        ("git+https://forge.example/team/d.git", git("https://forge.example/team/d.git", None, "", None)),
        ("GIT+HTTPS://forge.example/d", git("https://forge.example/d", None, "", None)),
        (
            "git+ssh://git@forge.example:2222/team/d//lab",
            git("ssh://git@forge.example:2222/team/d", None, "lab", None),
        ),
        (
            "git+http://localhost/d?user=me&password=env:PW",
            git("http://localhost/d", None, "", basic("me", "env:PW")),
        ),
        ("git+https://h/d?token=env:T", git("https://h/d", None, "", basic("x-access-token", "env:T"))),
        ("https://h/d.tar.gz", archive("https://h/d.tar.gz", true, None, "", None)),
        (
            &format!("https://h:81/x/d.tgz//lab?digest=sha256:{digest}&token=file:/run/t"),
            archive(
                "https://h:81/x/d.tgz",
                true,
                Some(&digest),
                "lab",
                Some(Login::Bearer { token: "file:/run/t".into() }),
            ),
        ),
        ("https://h/d.tar", archive("https://h/d.tar", false, None, "", None)),
        (
            "deckhand+http://h:9000/api/v1.0/revisions/7/rendered-documents",
            Place::Documents(resource("http://h:9000/api/v1.0/revisions/7/rendered-documents", None, None)),
        ),
        (
            &format!("deckhand+https://h/d?digest=sha256:{digest}&user=me&password=env:PW"),
            Place::Documents(resource("https://h/d", Some(&digest), basic("me", "env:PW"))),
        ),
    ] {
        assert_eq!(Place::parse(text).unwrap(), place, "{text}");
    }
}

#[test]
fn what_is_wrong_is_said_with_the_way_out() {
    for (text, with) in [
        ("svn://h/x", "`svn://` is not known"),
        ("git+htps://h/x", "did you mean `git+https://`?"),
        ("deckhand://h/x", "did you mean `deckhand+http://`?"),
        ("deckhand+https://h/x//y", "no `//`"),
        ("deckhand+https:///x", "names no host"),
        ("deckhand+https://h/x?ref=a", "`ref=` is not known here"),
        ("git+https://h/x?reff=1", "did you mean `ref=`?"),
        ("git+https://h/x?ref=a&ref=b", "given twice"),
        ("git+https://h/x?ref=", "`ref=` is empty"),
        ("git+https://h/x?ref=main//lab", "before the `?`: …//FOLDER?ref=main"),
        ("git+https://h/x?ref=a..b", "no branch, tag or commit"),
        ("git+https://h/x?ref=--upload-pack", "begins with a hyphen"),
        ("git+https://h/x//", "no plain relative path"),
        ("git+https://h/x//../y", "no plain relative path"),
        ("git+https://h/x//a%2F..%2Fb", "no plain relative path"),
        ("git+https:///x", "names no host"),
        ("git+file:///?ref=x", "names no repository"),
        ("https://h:port/x.tar", "no URL"),
        ("git+https://h", "names no repository"),
        ("git+file://relative/x", "three slashes"),
        ("file://", "names no folder"),
        ("git+https://h/x?user=me", "belong together"),
        ("git+https://h/x?user=me&token=env:T", "stands alone"),
        ("https://h/x.zip", "git+https://"),
        ("https://h/x.tar?digest=md5:1", "64 hexadecimal digits"),
        ("https://h/x y.tar", "%20"),
        ("https://h/x.tar#a", "%23"),
        ("https://h/%zz.tar//%zz", "two hexadecimal digits"),
    ] {
        refused(text, with);
    }
    refused(&format!("https://h/{}.tar", "x".repeat(5000)), "may have 4096");
}

#[test]
fn a_secret_in_a_uri_is_refused_and_not_repeated() {
    for text in [
        "git+https://me:hunter2@h/x",
        "git+https://hunter2@h/x",
        "https://me:hunter2@h/x.tar",
        "git+ssh://me:hunter2@h/x",
        "https://h/x.tar?user=me&password=hunter2",
        "deckhand+https://me:hunter2@h/x",
        "deckhand+https://h/x?token=hunter2",
        "https://h/x.tar?token=hunter2",
        "https://h/x.tar?private_token=hunter2",
        "svn://me:hunter2@h/x?password=hunter2",
        "https://me:hunter2/x@h/x.tar",
        "https://me:hunter2?x@h/x.tar",
        "https://me:x?hunter2@h/x.tar",
        "https://me:hunter2@x@h/x.tar",
        "git+https://me:hunter2@h?hunter2=hunter2&%zz",
    ] {
        let error = Place::parse(text).unwrap_err();
        let said = format!("{error} {error:?}");
        // A parameter's name is what somebody misspelt, its value is what may be secret.
        assert!(!said.replace("hunter2=", "").contains("hunter2"), "{text}: {said}");
    }
    refused("https://h/x.tar?token=hunter2", "token=env:VARIABLE");
}

#[test]
fn credentials_leave_this_computer_through_tls_only() {
    for login in ["token=env:T", "user=me&password=env:PW"] {
        for host in
            ["h", "10.0.0.1", "localhost.example", "127.0.0.1.example", "[fd00::1]", "[::ffff:7f00:1]"]
        {
            refused(&format!("http://{host}:8080/d.tar?{login}"), "write https in place of http");
            refused(&format!("git+http://{host}/d?{login}"), "write https in place of http");
            refused(&format!("deckhand+http://{host}/d?{login}"), "write https in place of http");
            Place::parse(&format!("https://{host}/d.tar?{login}")).unwrap();
            Place::parse(&format!("git+https://{host}/d?{login}")).unwrap();
            Place::parse(&format!("git+http://{host}/d")).unwrap();
        }
        for host in ["localhost", "127.0.0.1:81", "127.1.2.3", "[::1]:81"] {
            Place::parse(&format!("http://{host}/d.tar?{login}")).unwrap();
            Place::parse(&format!("git+http://{host}/d?{login}")).unwrap();
        }
    }
}

#[test]
fn another_revision_of_the_same_place_keeps_its_identity() {
    let uri = "git+file:///d.git//lab?ref=main";
    let here = Place::parse(uri).unwrap();
    let there = here.clone().at(uri, "v1").unwrap();
    assert_eq!(there, git("/d.git", Some("v1"), "lab", None));
    assert_eq!(here.identity(), there.identity());
    assert!(Place::parse("https://h/x.tar").unwrap().at("https://h/x.tar", "main").is_err());
    assert_eq!(folder("/d", None).at("/d", "HEAD~1").unwrap(), folder("/d", Some("HEAD~1")));
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in "\\PC{0,80}") {
        let _ = Place::parse(&text);
    }

    #[test]
    fn no_uri_is_too_strange(scheme in "(git\\+|deckhand\\+)?(https?|file|ssh)", rest in "[a-z0-9/:@?=&%.#\\\\ é\n-]{0,60}") {
        let _ = Place::parse(&format!("{scheme}://{rest}"));
    }

    #[test]
    fn what_is_encoded_reads_back(text in "[^\\p{Cc}]{0,40}") {
        prop_assert_eq!(query::decode(&query::encode(&text)).unwrap(), text);
    }

    #[test]
    fn a_folder_below_never_leaves(subdir in "[a-z./%2Fe\\\\]{1,30}") {
        if let Ok(Place::Git(git)) = Place::parse(&format!("git+file:///d.git//{subdir}")) {
            prop_assert!(git.subdir.split('/').all(is_plain));
        }
    }
}
