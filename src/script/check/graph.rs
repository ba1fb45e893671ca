//! Who calls whom over the files of a closure, and what of the node reaches which parameter.

use super::SpecRead;
use super::facts::{Called, Facts, Function, Origin};
use crate::finding::Place;
use crate::model::task::Script;
use crate::script::closure;
use crate::script::evaluate;
use crate::script::fault::place;
use rhai::Position;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub struct File {
    pub script: Script,
    pub facts: Facts,
}

/// A script and what it imports.
pub struct Files {
    pub files: Vec<File>,
    pub main: Arc<str>,
}

/// The number of a file, and that of a function in it.
pub type Id = (usize, usize);

/// What is known of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Slot {
    /// Nobody has called the function yet.
    Open,
    /// Always this part of the node.
    Part(Vec<String>),
    /// Sometimes something else.
    Other,
}

impl Files {
    /// Every call, with the number of its file.
    pub fn calls(&self) -> impl Iterator<Item = (usize, &Called)> {
        let functions = |(index, file): (usize, &'_ File)| (index, file.facts.functions.len());
        let ids = self.files.iter().enumerate().map(functions);
        ids.flat_map(|(file, count)| (0..count).map(move |function| (file, function)))
            .flat_map(|id| self.function(id).calls.iter().map(move |call| (id.0, call)))
    }

    pub fn function(&self, id: Id) -> &Function {
        &self.files[id.0].facts.functions[id.1]
    }

    pub fn place(&self, file: usize, at: Position) -> Place {
        let script = &self.files[file].script;
        place(&script.file, &script.text, at)
    }

    /// The task's own function of this name.
    pub fn root(&self, name: &str) -> Option<Id> {
        let file = self.files.iter().position(|file| file.script.file == self.main)?;
        let function = self.files[file].facts.functions.iter().position(|function| function.name == name)?;
        Some((file, function))
    }

    /// The number of the file that an alias stands for in another one.
    pub fn imported(&self, file: usize, alias: &str) -> Option<usize> {
        let path = self.files[file].facts.imports.get(alias)?.as_ref()?;
        let name = closure::file_of(path);
        self.files.iter().position(|file| *file.script.file == *name)
    }

    /// The function of a script that is called.
    pub fn target(&self, file: usize, call: &Called) -> Option<Id> {
        let (file, is_own) = match call.namespace.as_slice() {
            [] => (file, true),
            [alias] => (self.imported(file, alias)?, false),
            _ => return None,
        };
        let fits = |function: &Function| {
            let closure = function.name.starts_with("anon$");
            function.name == call.name
                && (closure || function.params.len() == call.args.len())
                && (is_own || !function.is_private)
        };
        Some((file, self.files[file].facts.functions.iter().position(fits)?))
    }

    /// Everything that these functions call, they themselves first.
    pub fn reached(&self, roots: impl IntoIterator<Item = Id>) -> BTreeSet<Id> {
        let mut open: Vec<Id> = roots.into_iter().collect();
        let mut reached = BTreeSet::new();
        while let Some(id) = open.pop() {
            if reached.insert(id) {
                open.extend(self.function(id).calls.iter().filter_map(|call| self.target(id.0, call)));
            }
        }
        reached
    }

    /// The parts of the spec that the functions of the task read, wherever the node is handed on to.
    pub fn spec_reads(&self) -> Vec<SpecRead> {
        let mut reads = BTreeSet::new();
        let slots = self.slots();
        for (id, slots) in &slots {
            for read in &self.function(*id).reads {
                let Some(Slot::Part(keys)) =
                    slots.get(read.origin.param).map(|slot| joined(slot, &read.origin))
                else {
                    continue;
                };
                if let Some((first, keys)) = keys.split_first()
                    && first == "spec"
                    && !keys.is_empty()
                {
                    reads.insert(SpecRead { keys: keys.to_vec(), place: self.place(id.0, read.at) });
                }
            }
        }
        reads.into_iter().collect()
    }

    /// What each parameter of each function that a task's function reaches is. Grows only, so it ends.
    fn slots(&self) -> BTreeMap<Id, Vec<Slot>> {
        let roots: Vec<Id> =
            evaluate::Function::ALL.iter().filter_map(|function| self.root(function.name())).collect();
        let mut slots: BTreeMap<Id, Vec<Slot>> = self
            .reached(roots.iter().copied())
            .into_iter()
            .map(|id| (id, vec![Slot::Open; self.function(id).params.len()]))
            .collect();
        for root in &roots {
            if let Some(node) = slots.get_mut(root).and_then(|slots| slots.first_mut()) {
                *node = Slot::Part(Vec::new());
            }
        }
        let ids: Vec<Id> = slots.keys().copied().collect();
        loop {
            let mut moved = false;
            for id in &ids {
                for call in &self.function(*id).calls {
                    let Some(target) = self.target(id.0, call) else { continue };
                    let given: Vec<Slot> =
                        call.args.iter().map(|arg| self.given(&slots, *id, arg.as_ref())).collect();
                    let Some(params) = slots.get_mut(&target) else { continue };
                    for (index, param) in params.iter_mut().enumerate() {
                        let given = given.get(index).cloned().unwrap_or(Slot::Other);
                        moved |= join(param, given);
                    }
                }
            }
            if !moved {
                return slots;
            }
        }
    }

    fn given(&self, slots: &BTreeMap<Id, Vec<Slot>>, id: Id, arg: Option<&Origin>) -> Slot {
        let Some(origin) = arg else { return Slot::Other };
        slots
            .get(&id)
            .and_then(|slots| slots.get(origin.param))
            .map_or(Slot::Other, |slot| joined(slot, origin))
    }
}

/// The part of the node that is below a parameter.
fn joined(slot: &Slot, origin: &Origin) -> Slot {
    match slot {
        Slot::Part(keys) => Slot::Part([keys.as_slice(), &origin.keys].concat()),
        other => other.clone(),
    }
}

/// One more call; true when something is known that was not.
fn join(slot: &mut Slot, given: Slot) -> bool {
    let joined = match (&*slot, given) {
        (_, Slot::Open) => return false,
        (Slot::Open, given) => given,
        (Slot::Part(known), Slot::Part(given)) if *known == given => return false,
        (Slot::Other, _) => return false,
        _ => Slot::Other,
    };
    *slot = joined;
    true
}
