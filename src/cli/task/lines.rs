//! Statements as they are typed: with a line editor on a terminal, line by line elsewhere.
//!
//! Owns history, completion, and that a statement goes on while a brace is open. Evaluates nothing.

use crate::cli::exit::{CliError, Exit};
use crate::reconcile::console::{Names, is_open};
use crate::view::{console as shown, out};
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper};
use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

/// Statements that are kept for the next time.
const HISTORY: usize = 1_000;
/// The longest statement in bytes, and in lines: it is looked over again with each.
const LONGEST: usize = 1 << 16;
const MOST_LINES: usize = 2_000;

/// What the next line came to.
pub enum Typed {
    Statement(String),
    /// An empty line, or one that was given up.
    Nothing,
    End,
}

pub enum Lines {
    Terminal { editor: Option<Box<Editor<Assistant, FileHistory>>>, prompt: String, history: PathBuf },
    Plain,
}

impl Lines {
    /// On a terminal with what was typed before, if anything was.
    pub fn open(node: &str, history: &Path) -> Result<Lines, CliError> {
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return Ok(Lines::Plain);
        }
        let failed = |error: ReadlineError| CliError::of(Exit::Fault, &error);
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .max_history_size(HISTORY)
            .map_err(failed)?
            .auto_add_history(true)
            .build();
        let mut editor: Editor<Assistant, FileHistory> = Editor::with_config(config).map_err(failed)?;
        editor.set_helper(Some(Assistant::default()));
        // The first time there is none.
        let _ = editor.load_history(history);
        out::note(&shown::welcome(node));
        Ok(Lines::Terminal {
            editor: Some(Box::new(editor)),
            prompt: shown::prompt(node),
            history: history.to_path_buf(),
        })
    }

    /// Somebody sits there.
    pub fn has_person(&self) -> bool {
        matches!(self, Lines::Terminal { .. })
    }

    /// What completion may name from now on.
    pub fn can_name(&mut self, names: Names) {
        if let Lines::Terminal { editor: Some(editor), .. } = self
            && let Some(assistant) = editor.helper_mut()
        {
            assistant.names = names;
        }
    }

    /// Waits for the next statement on a thread of its own.
    pub async fn next(&mut self) -> Result<Typed, CliError> {
        let broken = |why: String| CliError::new(Exit::Fault, format!("no statement can be read: {why}"));
        match self {
            Lines::Plain => {
                let read = tokio::task::spawn_blocking(|| read(&mut std::io::stdin().lock()));
                read.await
                    .map_err(|error| broken(error.to_string()))?
                    .map_err(|error| broken(error.to_string()))
            }
            Lines::Terminal { editor, prompt, history } => {
                let mut own = editor.take().ok_or_else(|| broken("the editor broke off".into()))?;
                let prompt = prompt.clone();
                let reading = tokio::task::spawn_blocking(move || {
                    let line = own.readline(&prompt);
                    (own, line)
                });
                let (mut own, line) = reading.await.map_err(|error| broken(error.to_string()))?;
                // A folder that cannot be written only costs the memory of what was typed.
                let _ = own.save_history(history);
                *editor = Some(own);
                match line {
                    Ok(line) if line.trim().is_empty() => Ok(Typed::Nothing),
                    Ok(line) => Ok(Typed::Statement(line)),
                    Err(ReadlineError::Interrupted) => Ok(Typed::Nothing),
                    Err(ReadlineError::Eof) => Ok(Typed::End),
                    Err(error) => Err(broken(error.to_string())),
                }
            }
        }
    }
}

/// One statement: lines until everything is closed, or until the end.
fn read(input: &mut impl BufRead) -> std::io::Result<Typed> {
    let mut statement = String::new();
    for _ in 0..MOST_LINES {
        let before = statement.len();
        let read = std::io::Read::take(&mut *input, LONGEST as u64).read_line(&mut statement)?;
        if read == 0 && before == 0 {
            return Ok(Typed::End);
        }
        if statement.len() >= LONGEST {
            break;
        }
        if read == 0 || !is_open(&statement) {
            return Ok(if statement.trim().is_empty() {
                Typed::Nothing
            } else {
                Typed::Statement(statement)
            });
        }
    }
    Err(std::io::Error::other("a statement has more than 64 KiB or 2000 lines"))
}

/// What the line editor asks while somebody types.
#[derive(Default)]
pub struct Assistant {
    names: Names,
}

impl Helper for Assistant {}
impl Highlighter for Assistant {}

impl Hinter for Assistant {
    type Hint = String;
}

impl Completer for Assistant {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(self.names.complete(line.get(..at).unwrap_or_default()))
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match is_open(context.input()) {
            true => ValidationResult::Incomplete,
            false => ValidationResult::Valid(None),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_goes_on_while_something_is_open() {
        let mut input = "let x = 1;\n\nfn f() {\n  2\n}\nf() + [\n".as_bytes();
        let mut typed = Vec::new();
        loop {
            match read(&mut input).unwrap() {
                Typed::Statement(statement) => typed.push(statement),
                Typed::Nothing => typed.push("-".into()),
                Typed::End => break,
            }
        }
        assert_eq!(typed, ["let x = 1;\n", "-", "fn f() {\n  2\n}\n", "f() + [\n"]);
    }

    #[test]
    fn a_statement_without_end_is_refused() {
        let endless = format!("`{}", "x".repeat(LONGEST));
        assert!(read(&mut endless.as_bytes()).is_err());
        let lines = "[\n".repeat(MOST_LINES + 1);
        assert!(read(&mut lines.as_bytes()).is_err());
    }
}
