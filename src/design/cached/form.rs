//! The form of a kept reading: items with every text written once, in postcard.
//!
//! Owns the mirror of `Item` that can be written down, and the ways there and back. Places need no file name,
//! because a reading is of one file.

use crate::design::kinds::KINDS;
use crate::design::read::{Item, Reference};
use crate::finding::Place;
use crate::model::path::Path;
use crate::model::value::Value;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

/// Line, column, offset, length.
type Spot = (u32, u32, u32, u32);
/// The number of a text.
type Word = u32;

#[derive(Serialize, Deserialize)]
struct Written {
    variables: [u8; 32],
    words: Vec<String>,
    items: Vec<WrittenItem>,
}

#[derive(Serialize, Deserialize)]
struct WrittenItem {
    kind: u32,
    name: Word,
    place: Spot,
    tree: WrittenValue,
    places: Vec<(Vec<Word>, Spot)>,
    references: Vec<(Word, Word, Spot)>,
    selectors: Vec<(Word, Spot)>,
    faulty: bool,
}

#[derive(Serialize, Deserialize)]
enum WrittenValue {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Word),
    Secret(Word),
    Unknown(Word),
    List(Vec<WrittenValue>),
    Map(Vec<(Word, WrittenValue)>),
}

pub fn encode(variables: [u8; 32], items: &[Item], file: &Arc<str>) -> Option<Vec<u8>> {
    let mut writer = Writer { numbers: HashMap::new(), words: Vec::new(), file };
    let items = items.iter().map(|item| writer.item(item)).collect::<Option<Vec<_>>>()?;
    let words = writer.words.iter().map(|word| word.to_string()).collect();
    postcard::to_allocvec(&Written { variables, words, items }).ok()
}

/// `None` for anything that this build did not write.
pub fn decode(bytes: &[u8], file: &Arc<str>) -> Option<([u8; 32], Vec<Item>)> {
    let written: Written = postcard::from_bytes(bytes).ok()?;
    let words: Vec<Arc<str>> = written.words.into_iter().map(Arc::from).collect();
    let reader = Reader { words: &words, file };
    let items = written.items.into_iter().map(|item| reader.item(item)).collect::<Option<Vec<_>>>()?;
    Some((written.variables, items))
}

struct Writer<'a> {
    numbers: HashMap<Arc<str>, Word>,
    words: Vec<Arc<str>>,
    file: &'a Arc<str>,
}

impl Writer<'_> {
    fn item(&mut self, item: &Item) -> Option<WrittenItem> {
        let kind = KINDS.iter().position(|kind| kind.name == item.kind)?;
        let places = item.places.iter().map(|(path, place)| {
            let keys = path.0.iter().map(|key| self.word(key)).collect();
            Some((keys, self.spot(place)?))
        });
        let places = places.collect::<Option<Vec<_>>>()?;
        let references = item.references.iter().map(|reference| {
            let kind = self.word(&Arc::from(reference.kind));
            Some((kind, self.word(&reference.name), self.spot(&reference.place)?))
        });
        let references = references.collect::<Option<Vec<_>>>()?;
        let selectors = item.selectors.iter().map(|(text, place)| Some((self.word(text), self.spot(place)?)));
        Some(WrittenItem {
            kind: u32::try_from(kind).ok()?,
            selectors: selectors.collect::<Option<Vec<_>>>()?,
            name: self.word(&item.name),
            place: self.spot(&item.place)?,
            tree: self.value(&item.tree),
            places,
            references,
            faulty: item.faulty,
        })
    }

    fn word(&mut self, text: &Arc<str>) -> Word {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = Word::try_from(self.words.len()).unwrap_or(Word::MAX);
        self.numbers.insert(text.clone(), number);
        self.words.push(text.clone());
        number
    }

    /// Every place of a reading is in its file.
    fn spot(&self, place: &Place) -> Option<Spot> {
        (place.file == *self.file).then_some((place.line, place.column, place.offset, place.length))
    }

    fn value(&mut self, value: &Value) -> WrittenValue {
        match value {
            Value::Null => WrittenValue::Null,
            Value::Bool(truth) => WrittenValue::Bool(*truth),
            Value::Int(number) => WrittenValue::Int(*number),
            Value::Float(number) => WrittenValue::Float(*number),
            Value::Text(text) => WrittenValue::Text(self.word(text)),
            Value::Secret(text) => WrittenValue::Secret(self.word(text)),
            Value::Unknown(text) => WrittenValue::Unknown(self.word(text)),
            Value::List(items) => WrittenValue::List(items.iter().map(|item| self.value(item)).collect()),
            Value::Map(map) => WrittenValue::Map(
                map.iter().map(|(key, value)| (self.word(key), self.value(value))).collect(),
            ),
        }
    }
}

struct Reader<'a> {
    words: &'a [Arc<str>],
    file: &'a Arc<str>,
}

impl Reader<'_> {
    fn item(&self, item: WrittenItem) -> Option<Item> {
        let places = item.places.into_iter().map(|(keys, spot)| {
            let keys = keys.into_iter().map(|key| self.word(key)).collect::<Option<Vec<_>>>()?;
            Some((Path(keys), self.place(spot)))
        });
        let references = item.references.into_iter().map(|(kind, name, spot)| {
            let kind = self.word(kind)?;
            let kind = KINDS.iter().find(|shape| *shape.name == *kind)?.name;
            Some(Reference { kind, name: self.word(name)?, place: self.place(spot) })
        });
        let selectors =
            item.selectors.into_iter().map(|(text, spot)| Some((self.word(text)?, self.place(spot))));
        Some(Item {
            kind: KINDS.get(item.kind as usize)?.name,
            name: self.word(item.name)?,
            place: self.place(item.place),
            tree: self.value(item.tree)?,
            places: Arc::new(places.collect::<Option<_>>()?),
            references: references.collect::<Option<_>>()?,
            selectors: selectors.collect::<Option<_>>()?,
            block: None,
            faulty: item.faulty,
        })
    }

    fn word(&self, number: Word) -> Option<Arc<str>> {
        self.words.get(number as usize).cloned()
    }

    fn place(&self, (line, column, offset, length): Spot) -> Place {
        Place { file: self.file.clone(), line, column, offset, length }
    }

    fn value(&self, value: WrittenValue) -> Option<Value> {
        Some(match value {
            WrittenValue::Null => Value::Null,
            WrittenValue::Bool(truth) => Value::Bool(truth),
            WrittenValue::Int(number) => Value::Int(number),
            WrittenValue::Float(number) => Value::Float(number),
            WrittenValue::Text(word) => Value::Text(self.word(word)?),
            WrittenValue::Secret(word) => Value::Secret(self.word(word)?),
            WrittenValue::Unknown(word) => Value::Unknown(self.word(word)?),
            WrittenValue::List(items) => {
                Value::list(items.into_iter().map(|item| self.value(item)).collect::<Option<_>>()?)
            }
            WrittenValue::Map(entries) => {
                let entries =
                    entries.into_iter().map(|(key, value)| Some((self.word(key)?, self.value(value)?)));
                Value::Map(Arc::new(entries.collect::<Option<_>>()?))
            }
        })
    }
}
