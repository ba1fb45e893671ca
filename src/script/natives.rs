//! Built-in functions that stand in place of Rhai's own, which could run for ever or ask for any amount of memory within
//! one step, where no limit looks.
//!
//! They do the same for scripts that mean well, and charge for their work.

use super::limits::{LIST_ITEMS, TEXT_BYTES};
use super::meter::{charge, charge_for, steps};
use crate::units;
use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, INT, ImmutableString, NativeCallContext, Position};
use std::cmp::Ordering;

type Ended<T> = Result<T, Box<EvalAltResult>>;

pub fn register(engine: &mut Engine) {
    engine
        .register_fn("replace", |text: &mut ImmutableString, find: &str, with: &str| {
            replace(text, find, with)
        })
        .register_fn("replace", |text: &mut ImmutableString, find: &str, with: char| {
            replace(text, find, with.encode_utf8(&mut [0; 4]))
        })
        .register_fn("replace", |text: &mut ImmutableString, find: char, with: &str| {
            replace(text, find.encode_utf8(&mut [0; 4]), with)
        })
        .register_fn("replace", |text: &mut ImmutableString, find: char, with: char| {
            replace(text, find.encode_utf8(&mut [0; 4]), with.encode_utf8(&mut [0; 4]))
        })
        .register_fn("pad", |text: &mut ImmutableString, length: INT, with: char| {
            pad(text, length, with.encode_utf8(&mut [0; 4]))
        })
        .register_fn("pad", |text: &mut ImmutableString, length: INT, with: &str| pad(text, length, with))
        .register_fn("pad", pad_list)
        .register_fn("contains", |context: NativeCallContext, list: &mut Array, item: Dynamic| {
            Ok::<_, Box<EvalAltResult>>(position(&context, list, item, 0)? >= 0)
        })
        .register_fn("index_of", |context: NativeCallContext, list: &mut Array, item: Dynamic| {
            position(&context, list, item, 0)
        })
        .register_fn(
            "index_of",
            |context: NativeCallContext, list: &mut Array, item: Dynamic, start: INT| {
                position(&context, list, item, start)
            },
        );
    engine.register_fn("size_in_bytes", size_in_bytes);
    splitting(engine);
    // Rhai's own hands the item on as `this`, which scripts do not have.
    engine.register_fn("for_each", |context: NativeCallContext, list: &mut Array, each: FnPtr| {
        for item in list.iter() {
            let _ = each.call_raw(&context, None, [item.clone()])?;
        }
        Ok::<_, Box<EvalAltResult>>(())
    });
    for name in ["sort", "sort_by"] {
        engine.register_fn(name, |context: NativeCallContext, list: &mut Array, compare: FnPtr| {
            *list = sorted(&context, list.clone(), &compare)?;
            Ok::<_, Box<EvalAltResult>>(())
        });
    }
    for name in ["order", "order_by"] {
        engine.register_fn(name, |context: NativeCallContext, list: &mut Array, compare: FnPtr| {
            sorted(&context, list.clone(), &compare)
        });
    }
}

/// The bytes of a size as designs write it, such as `20GiB`.
fn size_in_bytes(text: &str) -> Ended<INT> {
    let bytes = units::size(text).map_err(|error| error.to_string())?;
    INT::try_from(bytes).map_err(|_| format!("`{text}` is more bytes than can be counted").into())
}

type Text<'a> = &'a mut ImmutableString;

/// Cutting a text makes a list that can be eighty times as large.
fn splitting(engine: &mut Engine) {
    engine
        .register_fn("to_chars", |text: Text| list(text.chars().map(Dynamic::from)))
        .register_fn(
            "split",
            |text: Text| if text.is_empty() { whole(text) } else { parts(text.split_whitespace()) },
        )
        .register_fn(
            "split",
            |text: Text, at: &str| if text.is_empty() { whole(text) } else { parts(text.split(at)) },
        )
        .register_fn("split", |text: Text, at: char| parts(text.split(at)))
        .register_fn("split", |text: Text, at: &str, most: INT| match at_most(text, most) {
            Some(most) => parts(text.splitn(most, at)),
            None => whole(text),
        })
        .register_fn("split", |text: Text, at: char, most: INT| match at_most(text, most) {
            Some(most) => parts(text.splitn(most, at)),
            None => whole(text),
        })
        .register_fn(
            "split_rev",
            |text: Text, at: &str| {
                if text.is_empty() { whole(text) } else { parts(text.rsplit(at)) }
            },
        )
        .register_fn("split_rev", |text: Text, at: char| parts(text.rsplit(at)))
        .register_fn("split_rev", |text: Text, at: &str, most: INT| match at_most(text, most) {
            Some(most) => parts(text.rsplitn(most, at)),
            None => whole(text),
        })
        .register_fn("split_rev", |text: Text, at: char, most: INT| match at_most(text, most) {
            Some(most) => parts(text.rsplitn(most, at)),
            None => whole(text),
        });
}

/// Into how many parts a text is cut; `None` when it stays whole.
fn at_most(text: &str, most: INT) -> Option<usize> {
    usize::try_from(most).ok().filter(|most| *most > 1 && !text.is_empty())
}

fn whole(text: &ImmutableString) -> Ended<Array> {
    Ok(vec![text.clone().into()])
}

fn parts<'a>(pieces: impl Iterator<Item = &'a str>) -> Ended<Array> {
    list(pieces.map(|piece| piece.into()))
}

/// A list whose items are paid for one by one.
fn list(items: impl Iterator<Item = Dynamic>) -> Ended<Array> {
    let mut list = Array::new();
    for item in items {
        if list.len() == LIST_ITEMS {
            return Err(too_large(LIST));
        }
        pay(1)?;
        list.push(item);
    }
    Ok(list)
}

fn too_large(what: &str) -> Box<EvalAltResult> {
    Box::new(EvalAltResult::ErrorDataTooLarge(what.into(), Position::NONE))
}

/// Charges, and ends the evaluation where a limit has been passed.
fn pay(steps: u64) -> Ended<()> {
    match charge(steps) {
        Some(limit) => Err(Box::new(EvalAltResult::ErrorTerminated(Dynamic::from(limit), Position::NONE))),
        None => Ok(()),
    }
}

const TEXT: &str = "Length of string";
const LIST: &str = "Size of array/BLOB";

/// The length of the result is known before it is made.
fn replace(text: &mut ImmutableString, find: &str, with: &str) -> Ended<()> {
    if text.is_empty() {
        return Ok(());
    }
    let places = text.matches(find).count();
    let length = (text.len() - places * find.len()).saturating_add(places.saturating_mul(with.len()));
    if length > TEXT_BYTES {
        return Err(too_large(TEXT));
    }
    *text = text.replace(find, with).into();
    Ok(())
}

/// Makes a text as many characters long as is asked for. Rhai's own never ends when there is nothing to pad with.
fn pad(text: &mut ImmutableString, length: INT, with: &str) -> Ended<()> {
    let missing = usize::try_from(length).unwrap_or(0).saturating_sub(text.chars().count());
    if missing == 0 {
        return Ok(());
    }
    if with.is_empty() {
        return Err("`pad` has nothing to pad with: the text is empty".into());
    }
    if missing > TEXT_BYTES {
        return Err(too_large(TEXT));
    }
    pay(missing as u64 / 64)?;
    let mut padded = text.to_string();
    padded.extend(with.chars().cycle().take(missing));
    if padded.len() > TEXT_BYTES {
        return Err(too_large(TEXT));
    }
    *text = padded.into();
    Ok(())
}

/// Each copy is paid for by what it holds before the next is made.
fn pad_list(list: &mut Array, length: INT, item: Dynamic) -> Ended<()> {
    let length = usize::try_from(length).unwrap_or(0);
    if length > LIST_ITEMS {
        return Err(too_large(LIST));
    }
    let steps = steps(&item);
    while list.len() < length {
        pay(steps)?;
        list.push(item.clone());
    }
    Ok(())
}

/// Where in a list something equal stands, or -1. The interpreter's comparison takes a copy for each item.
fn position(context: &NativeCallContext, list: &mut Array, item: Dynamic, start: INT) -> Ended<INT> {
    let steps = steps(&item);
    let start = match usize::try_from(start) {
        Ok(start) => start,
        Err(_) => list.len().saturating_sub(usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    for (index, one) in list.iter_mut().enumerate().skip(start) {
        pay(steps)?;
        let is_equal = match context.call_native_fn_raw("==", true, &mut [one, &mut item.clone()]) {
            Ok(answer) => answer.as_bool().unwrap_or(false),
            // Different types are different.
            Err(error) => match *error {
                EvalAltResult::ErrorFunctionNotFound(..) if one.type_id() != item.type_id() => false,
                _ => return Err(error),
            },
        };
        if is_equal {
            return Ok(INT::try_from(index).unwrap_or(INT::MAX));
        }
    }
    Ok(-1)
}

/// A merge sort: it ends whatever the comparison says, keeps the order of equals, and an error of the comparison is its own.
/// Rhai's goes on after an error, and a comparison that contradicts itself is a panic in it.
fn sorted(context: &NativeCallContext, list: Array, compare: &FnPtr) -> Ended<Array> {
    if list.len() < 2 {
        return Ok(list);
    }
    let mut left = list;
    let right = left.split_off(left.len() / 2);
    let left = sorted(context, left, compare)?.into_iter();
    let right = sorted(context, right, compare)?.into_iter();
    let (mut left, mut right) = (left.peekable(), right.peekable());
    let mut merged = Array::with_capacity(left.len() + right.len());
    while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
        let comes_later = order(context, compare, one, other)? == Ordering::Greater;
        merged.extend(if comes_later { right.next() } else { left.next() });
    }
    merged.extend(left.chain(right));
    Ok(merged)
}

/// What a comparison says: a number, or whether the first comes first.
fn order(context: &NativeCallContext, compare: &FnPtr, one: &Dynamic, other: &Dynamic) -> Ended<Ordering> {
    for value in [one, other] {
        if let Some(limit) = charge_for(value) {
            return Err(Box::new(EvalAltResult::ErrorTerminated(Dynamic::from(limit), Position::NONE)));
        }
    }
    let said = compare.call_raw(context, None, [one.clone(), other.clone()])?;
    if let Ok(number) = said.as_int() {
        return Ok(number.cmp(&0));
    }
    match said.as_bool() {
        Ok(true) => Ok(Ordering::Less),
        Ok(false) => Ok(Ordering::Greater),
        Err(kind) => Err(format!("a comparison must say a number or a truth, not {kind}").into()),
    }
}
