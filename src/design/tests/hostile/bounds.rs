//! Small texts that would come to much: each has a limit, and the limit is a finding.

use super::{BASE, judged};
use crate::design::Compiled;
use crate::design::report::MOST_FINDINGS;
use crate::finding::LIMIT;

fn with_base(text: String) -> Compiled {
    judged(&[("base.kdl".into(), BASE.into()), ("x.kdl".into(), text.into_bytes())])
}

fn is_limited(text: String) {
    let compiled = with_base(text);
    let limit = compiled.findings.iter().find(|finding| finding.code == LIMIT);
    assert!(limit.is_some_and(|it| it.place.is_some()), "{:?}", compiled.findings.first());
}

#[test]
fn findings_have_a_bound_and_the_last_says_how_many_more_there_are() {
    let compiled = with_base("no-kind \"a\"\n".repeat(MOST_FINDINGS + 10));
    assert_eq!(compiled.findings.len(), MOST_FINDINGS);
    let last = compiled.findings.last().map(|finding| finding.message.as_str()).unwrap();
    assert!(last.ends_with("(and 10 more findings in the design)"), "{last}");
    is_limited(format!("profile \"p\" {{ {} }}", "no-word 1\n".repeat(2_000)));
}

#[test]
fn an_error_behind_many_warnings_still_counts() {
    let warned = |index| format!("boot-action \"a{index}\" {{ on \"tag:nobody\" }}\n");
    let many: String = (0..MOST_FINDINGS + 5).map(warned).collect();
    let compiled = with_base(format!("{many}profile \"p\" extends=\"nobody\""));
    assert_eq!(compiled.findings.len(), MOST_FINDINGS);
    assert!(compiled.site.is_none() && compiled.findings.iter().any(|finding| finding.is_error()));
}

#[test]
fn a_long_name_is_not_repeated_in_full() {
    let name = "a".repeat(100_000);
    let compiled =
        with_base(format!("profile \"{name}\" extends=\"{name}b\" {{ {name} }}\n{name} 1\nnode \"{name}\""));
    let longest = compiled.findings.iter().map(|finding| finding.message.len() + finding.subject.len()).max();
    assert!(longest.is_some_and(|longest| longest < 10_000), "{longest:?}");
}

#[test]
fn chains_of_profiles_have_a_bound() {
    let chain = |count: usize| -> String {
        (1..count).map(|n| format!("profile \"p{n}\" extends=\"p{}\"\n", n - 1)).collect()
    };
    assert!(with_base(format!("profile \"p0\"\n{}", chain(90))).site.is_some());
    is_limited(format!("profile \"p0\"\n{}", chain(2_000)));
}

#[test]
fn patterns_cannot_fill_the_memory() {
    is_limited(format!("nodes \"m{{x}}\" x=\"1..100000\" {{ tag \"{{x}}{}\" }}", "y".repeat(200_000)));
    is_limited(format!("nodes \"{}\" {}", "{a}{b}".repeat(20), "a=\"x\" b=\"y\""));
    let names: String = (0..1_000).map(|n| format!("{{v{n}}}")).collect();
    is_limited(format!("nodes \"{names}\" v1=\"x\""));
}

#[test]
fn variables_cannot_fill_the_memory() {
    let site = BASE.replacen(
        "site \"test\" {",
        &format!("site \"test\" {{ variable \"v\" \"{}\";", "y".repeat(40_000)),
        1,
    );
    for tag in ["tag (var)\"v\"\n", "tag (text)\"{v}\"\n", "tag (text)\"{v}{v}\"\n"] {
        let text = format!("{site}\nprofile \"p\" {{ {} }}", tag.repeat(3_000));
        let compiled = judged(&[("x.kdl".into(), text.into_bytes())]);
        assert!(compiled.findings.iter().any(|finding| finding.code == LIMIT), "{tag}");
    }
}
