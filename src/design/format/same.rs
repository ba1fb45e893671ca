//! Do two texts say the same? The formatter's own result is judged by the parser before anybody gets it.

use super::token::{Kind, tokens};
use kdl::{KdlDocument, KdlEntry, KdlIdentifier, KdlNode};

/// The same KDL nodes, and the same comments and switched-off parts in the same order.
pub fn same(before: (&str, &KdlDocument), after: (&str, &KdlDocument)) -> bool {
    documents(before.1, after.1) && words(before.0).eq(words(after.0))
}

fn documents(before: &KdlDocument, after: &KdlDocument) -> bool {
    alike(before.nodes(), after.nodes(), nodes)
}

fn nodes(before: &KdlNode, after: &KdlNode) -> bool {
    let children = match (before.children(), after.children()) {
        (Some(before), Some(after)) => documents(before, after),
        (before, after) => before.is_none() && after.is_none(),
    };
    types(before.ty(), after.ty())
        && before.name().value() == after.name().value()
        && alike(before.entries(), after.entries(), entries)
        && children
}

fn entries(before: &KdlEntry, after: &KdlEntry) -> bool {
    types(before.ty(), after.ty())
        && types(before.name(), after.name())
        // Texts, so that a number that is no number is the same as itself.
        && format!("{:?}", before.value()) == format!("{:?}", after.value())
}

fn types(before: Option<&KdlIdentifier>, after: Option<&KdlIdentifier>) -> bool {
    before.map(KdlIdentifier::value) == after.map(KdlIdentifier::value)
}

fn alike<T>(before: &[T], after: &[T], same: fn(&T, &T) -> bool) -> bool {
    before.len() == after.len() && before.iter().zip(after).all(|(before, after)| same(before, after))
}

/// Everything but white space and what separates statements; quotes and line ends may differ.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    tokens(text)
        .into_iter()
        .filter(|token| !matches!(token.kind, Kind::Newline | Kind::Semicolon | Kind::Backslash))
        .map(|token| token.text.trim_end().trim_matches('"').replace("\r\n", "\n"))
}
