//! The effects as definition files of the script language, for editors: one file a module.
//!
//! The form is that of Rhai's own definition files: `module NAME;`, then functions without bodies, each with its
//! documentation before it.

use crate::model::reference::{EffectReference, ModuleReference};
use crate::units;
use std::fmt::Write;

/// Names and texts of the files.
pub fn files(modules: &[ModuleReference]) -> Vec<(String, String)> {
    modules.iter().map(|module| (format!("{}.d.rhai", module.name), file(module))).collect()
}

fn file(module: &ModuleReference) -> String {
    let mut text = format!("module {};\n", module.name);
    for effect in &module.effects {
        // The last arguments may be left out: a declaration for each number of them.
        let least = effect.args.iter().filter(|arg| !arg.optional).count();
        for count in least..=effect.args.len() {
            write_declaration(&mut text, effect, count);
        }
    }
    text
}

fn write_declaration(text: &mut String, effect: &EffectReference, count: usize) {
    let args = &effect.args[..count];
    let _ = write!(text, "\n/// {}\n///\n", effect.doc);
    let _ = writeln!(text, "/// * kind: {}, within {}", effect.kind, units::short(effect.within));
    for arg in args {
        let _ = writeln!(text, "/// * `{}`: {}", arg.name, arg.shape);
    }
    let _ = writeln!(text, "/// * answers: {}", effect.returns.shape);
    for field in effect.returns.fields.iter().filter(|field| !field.doc.is_empty()) {
        let _ = writeln!(text, "///   * `{}`: {}", field.name, field.doc);
    }
    let _ = writeln!(text, "///\n/// ```rhai\n/// {}\n/// ```", effect.example);
    let args: Vec<String> = args.iter().map(|arg| format!("{}: {}", arg.name, arg.script_type)).collect();
    let _ = writeln!(text, "fn {}({}) -> {};", effect.name, args.join(", "), effect.returns.script_type);
}
