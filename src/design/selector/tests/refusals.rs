//! What is refused: each with the part that is wrong and the way out.

use super::super::{DEEPEST, MOST_BYTES, MOST_TESTS, Selector, SelectorError};

/// A selector, the part that is underlined, what is said of it, and the help.
const WRONG: &[(&str, &str, &str, &str)] = &[
    ("", "", "the selector is empty", "`*` is every node"),
    (" \t\n", " \t\n", "the selector is empty", "such as `rack:r1`"),
    ("rack:r1 &", "&", "nothing stands after `&`", "a glob such as `r1-*`"),
    ("a | ", "|", "nothing stands after `|`", "a node's name"),
    ("& a", "&", "nothing stands before `&`", "a node's name"),
    ("a | & b", "|", "nothing stands after `|`", "a node's name"),
    ("(| a)", "|", "nothing stands before `|`", "a node's name"),
    ("!", "!", "nothing stands after `!`", "a node's name"),
    ("a & (b | )", "|", "nothing stands after `|`", "a node's name"),
    ("a && b", "&&", "`&&` is not a sign", "write `&`"),
    ("a || b", "||", "`||` is not a sign", "write `|`"),
    ("unit == 3", "==", "`==` is not a sign", "write `=`"),
    ("unit => 3", "=>", "`=>` is not a sign", "write `>=`"),
    ("unit =< 3", "=<", "`=<` is not a sign", "write `<=`"),
    ("unit <> 3", "<>", "`<>` is not a sign", "write `!=`"),
    ("a & ()", "()", "the parentheses are empty", "a node's name"),
    ("(a & b", "(", "never closed", "write `)`"),
    ("a & (", "(", "never closed", "write `)`"),
    ("a)", ")", "closes nothing", "write `(`"),
    (")", ")", "closes nothing", "write `(`"),
    ("a b", "b", "a sign is missing before this", "write `&` (and) or `|` (or)"),
    ("a !b", "!", "a sign is missing before this", "write `&`"),
    ("a (b)", "(", "a sign is missing before this", "write `&`"),
    ("tag:'x", "'x", "the quotes are never closed", "write another '"),
    ("a\u{7}b", "\u{7}", "a control character", "remove it"),
    ("a\"b\"", "a\"b\"", "quotes stand around a part", "the whole value"),
    ("unit=1\"2\"", "1\"2\"", "quotes stand around a part", "the whole value"),
    ("=x", "=", "no path stands before `=`", "hardware.boot-mode=uefi"),
    ("unit=", "=", "no value stands after `=`", "goes into quotes|go into quotes"),
    ("unit=(3)", "=", "no value stands after `=`", "go into quotes"),
    ("unit=1=2", "=2", "`=` has no place here", "into quotes"),
    ("rakc:r1", "rakc", "selectors know no `rakc:`", "did you mean `rack:`?"),
    ("qqq:r1", "qqq", "selectors know no `qqq:`", "a label is `label:NAME=VALUE`"),
    ("qqq:r1=2", "qqq", "selectors know no `qqq:`", "`name:` `rack:`"),
    ("hardware.name:r650", "hardware.name", "selectors know no", "write `hardware.name=r650`"),
    ("rack:", "rack:", "nothing stands after `rack:`", "such as `rack:a*`"),
    ("rack: & a", "rack:", "nothing stands after `rack:`", "such as `rack:a*`"),
    ("tag:''", "tag:", "nothing stands after `tag:`", "such as `tag:a*`"),
    ("label:", "label:", "nothing stands after `label:`", "`label:role`"),
    ("label:=x", "label", "nothing stands after `label:`", "`label:role=db`"),
    ("has:", "has:", "nothing stands after `has:`", "`has:boot-mac`"),
    ("label:r*=x", "r*", "a label's name cannot be a glob", "in quotes"),
    ("label:tier<3", "<", "`label:` takes `=` and `!=`, not `<`", "`labels.tier>=2`"),
    ("rack:r1=2", "=", "`rack:` cannot be compared", "behind `rack:`"),
    ("has:unit=2", "=", "`has:` cannot be compared", "without `has:`"),
    ("hardware..name=x", "hardware..name", "this is not a path", "one dot"),
    (".unit=x", ".unit", "this is not a path", "one dot"),
    ("labels.''=x", "labels.''", "this is not a path", "one dot"),
    ("labels.a'b'=x", "labels.a'b'", "this is not a path", "in quotes|one dot"),
    ("rakc=r1", "rakc", "a node's spec has no `rakc`", "did you mean `rack`?"),
    ("hardware.bois.X=1", "hardware.bois.X", "has no `hardware.bois.X`", "`hardware.bios`|`hardware."),
    ("has:hardware.bois", "hardware.bois", "has no `hardware.bois`", "did you mean `hardware.bios`?"),
    ("tag=k8s", "tag", "a node's spec has no `tag`", "did you mean `tag:`?"),
    ("label=k8s", "label", "a node's spec has no `label`", "did you mean `label:`?"),
    ("zzz=1", "zzz", "a node's spec has no `zzz`", "prints every path"),
    ("hardware=r650", "hardware", "`hardware` is a group of values", "`hardware.name`"),
    ("image.kernel=x", "image.kernel", "is a group of values", "compare one of them"),
    ("labels=role", "labels", "`labels` has a value for each name", "write `labels.NAME`"),
    ("bmc.password=x", "bmc.password", "is a secret and is never compared", "`has:bmc.password`"),
    ("!bmc.password!=x", "bmc.password", "is a secret and is never compared", "`has:bmc.password`"),
    ("unit<abc", "abc", "neither larger nor smaller", "a size such as 256GiB"),
    ("unit>1*", "1*", "neither larger nor smaller", "or use `=`"),
    ("a,b", "a,b", "node names hold no comma", "write `|`"),
    ("a{b,c},d", "a{b,c},d", "node names hold no comma", "write `|`"),
    ("!'r1-*'", "'r1-*'", "what stands in quotes is no glob", "leave the quotes out"),
    ("''", "''", "the name is empty", "a node's name"),
    ("r1-[z-a]", "r1-[z-a]", "the glob `r1-[z-a]` is wrong", "into quotes"),
    ("tag:{a", "{a", "the glob `{a` is wrong", "into quotes"),
    ("unit=[", "[", "the glob `[` is wrong", "into quotes"),
    ("tag:a\\", "a\\", "the glob `a\\` is wrong", "into quotes"),
];

fn error(text: &str) -> SelectorError {
    Selector::parse(text).err().unwrap_or_else(|| panic!("`{text}` is not refused"))
}

#[test]
fn what_is_wrong_is_named_with_its_place_and_the_way_out() {
    for (text, part, message, help) in WRONG {
        let error = error(text);
        let underlined = &text[error.span.offset..error.span.end()];
        // Where a sign stands twice, the part names more of the text.
        assert!(
            part.starts_with(underlined) && !underlined.is_empty() || part == &underlined,
            "{text}: {error:?}"
        );
        assert!(text[error.span.offset..].starts_with(part), "{text}: {error:?}");
        assert!(error.message.contains(message), "{text}: {error:?}");
        assert!(help.split('|').any(|help| error.help.contains(help)), "{text}: {error:?}");
    }
}

#[test]
fn a_field_that_the_language_does_not_have_yet_is_refused() {
    // As long as the spec has no such path; silence would make `!region:x` every node.
    match crate::design::spec::Defaults::new().knows(&crate::model::path::Path::parse("region")) {
        true => drop(super::selector("region:x")),
        false => assert!(error("!region:x").message.contains("no region")),
    }
}

#[test]
fn limits_are_kept_and_named() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    super::selector(&nested(DEEPEST));
    assert!(error(&nested(DEEPEST + 1)).message.contains("deep"));
    super::selector(&format!("{}a", "!".repeat(DEEPEST)));
    assert!(error(&format!("{}a", "!(".repeat(100_000 / 4))).message.contains("deep"));
    // One behind the other is no depth.
    super::selector(&vec!["!(a)"; DEEPEST * 2].join("&"));
    super::selector(&vec!["rack:r1"; MOST_TESTS].join("|"));
    assert!(error(&vec!["rack:r1"; MOST_TESTS + 1].join("|")).message.contains("tests"));
    super::selector(&vec!["some-name-of-a-node"; 3_000].join("|"));
    let long = error(&"n".repeat(MOST_BYTES + 1));
    assert!(long.message.contains("limit") && long.help.contains("tag"));
}
