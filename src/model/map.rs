//! The map of a value tree: entries in order of their keys, in one piece of memory.
//!
//! Most maps of a spec have a handful of entries and there are several of them for each node, so what counts is
//! what a small one costs: forty bytes an entry and one allocation. A B-tree's smallest leaf has room for eleven.

use super::value::Value;
use std::sync::Arc;

/// Larger maps are searched by halves. A spec has some forty fields.
const MOST_IN_A_ROW: usize = 48;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map(Vec<(Arc<str>, Value)>);

impl Map {
    pub const fn new() -> Map {
        Map(Vec::new())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn position(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(held, _)| (**held).cmp(key))
    }

    /// Where a key stands. A key of another length is passed over without a look at its text, which lies elsewhere in
    /// memory: up to a few dozen entries that is faster than halving.
    fn find(&self, key: &str) -> Option<usize> {
        match self.0.len() <= MOST_IN_A_ROW {
            true => self.0.iter().position(|(held, _)| held.len() == key.len() && **held == *key),
            false => self.position(key).ok(),
        }
    }

    pub fn get(&self, key: &str) -> Option<&Value> {
        self.find(key).map(|at| &self.0[at].1)
    }

    /// The entry with its name as it is kept here.
    pub fn entry(&self, key: &str) -> Option<(&Arc<str>, &Value)> {
        self.find(key).map(|at| split(&self.0[at]))
    }

    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.find(key).map(|at| &mut self.0[at].1)
    }

    pub fn contains_key(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// The value that stood there before.
    pub fn insert(&mut self, key: Arc<str>, value: Value) -> Option<Value> {
        match self.position(&key) {
            Ok(at) => Some(std::mem::replace(&mut self.0[at].1, value)),
            Err(at) => {
                self.0.insert(at, (key, value));
                None
            }
        }
    }

    /// The value at `key`, put there as `Null` when it was not.
    pub fn or_null(&mut self, key: &Arc<str>) -> &mut Value {
        let at = match self.position(key) {
            Ok(at) => at,
            Err(at) => {
                self.0.insert(at, (key.clone(), Value::Null));
                at
            }
        };
        &mut self.0[at].1
    }

    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.position(key).ok().map(|at| self.0.remove(at).1)
    }

    pub fn iter(&self) -> Iter<'_> {
        self.0.iter().map(split)
    }

    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Arc<str>> + ExactSizeIterator {
        self.0.iter().map(|(key, _)| key)
    }

    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Value> + ExactSizeIterator {
        self.0.iter().map(|(_, value)| value)
    }
}

/// Entries in order of their keys.
pub type Iter<'a> = std::iter::Map<
    std::slice::Iter<'a, (Arc<str>, Value)>,
    fn(&'a (Arc<str>, Value)) -> (&'a Arc<str>, &'a Value),
>;

fn split(entry: &(Arc<str>, Value)) -> (&Arc<str>, &Value) {
    (&entry.0, &entry.1)
}

impl<'a> IntoIterator for &'a Map {
    type Item = (&'a Arc<str>, &'a Value);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl IntoIterator for Map {
    type Item = (Arc<str>, Value);
    type IntoIter = std::vec::IntoIter<(Arc<str>, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<(Arc<str>, Value)> for Map {
    /// Of two with one key the later counts.
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Value)>>(entries: I) -> Map {
        let mut entries: Vec<(Arc<str>, Value)> = entries.into_iter().collect();
        if !entries.is_sorted_by(|(a, _), (b, _)| a < b) {
            entries.reverse();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            entries.dedup_by(|(later, _), (kept, _)| later == kept);
        }
        entries.shrink_to_fit();
        Map(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_holds_what_a_tree_would_hold(steps in prop::collection::vec(("[a-e]{1,2}", 0..9i64, any::<bool>()), 0..40)) {
            let (mut map, mut tree) = (Map::new(), BTreeMap::new());
            for (key, number, remove) in &steps {
                let key: Arc<str> = key.as_str().into();
                match remove {
                    true => prop_assert_eq!(map.remove(&key), tree.remove(&key)),
                    false => prop_assert_eq!(map.insert(key.clone(), (*number).into()), tree.insert(key, Value::from(*number))),
                }
            }
            prop_assert!(map.iter().eq(tree.iter()));
            let pairs = steps.iter().map(|(key, number, _)| (Arc::from(key.as_str()), Value::from(*number)));
            let (map, tree): (Map, BTreeMap<Arc<str>, Value>) = (pairs.clone().collect(), pairs.collect());
            prop_assert!(map.iter().eq(tree.iter()));
        }
    }
}
