//! The iPXE script interpreter, without input and output: it says what to do next and is told how it went.
//!
//! Owns the language as far as boot scripts use it: comments, labels, variables, `||` and `&&` (left to
//! right, as a shell does), and the bound on its steps. Fetches nothing and boots nothing.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Commands that a chain of scripts may execute. A real machine would stand in a loop for ever; here the
/// device fails after this many. With `sleep 2` in a loop of five commands it is some seven minutes.
pub const STEPS: u32 = 1_000;
const SLEEP_LIMIT: Duration = Duration::from_secs(60);
const LINES: usize = 2_000;

/// What the machine is to do; [`Script::told`] carries the result back where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Do {
    Echo(String),
    /// Fetch the kernel; the arguments are its command line.
    Kernel {
        url: String,
        arguments: Vec<String>,
    },
    Initrd {
        url: String,
    },
    /// Forget what was fetched.
    Free,
    Sleep(Duration),
    /// Run another script, then come back.
    Chain {
        url: String,
    },
    /// Give control to the kernel.
    Boot,
    /// Boot the local disk.
    Sanboot,
    Reboot,
    /// The script ended well: go on with the next boot device.
    Exit,
    /// The script failed.
    Fail(String),
}

/// A script in the course of execution.
pub struct Script {
    lines: Vec<String>,
    line: usize,
    /// The rest of the current line: how each command hangs on the one before, and its words.
    pending: VecDeque<(Link, Vec<String>)>,
    succeeded: bool,
    last: String,
    variables: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    First,
    And,
    Or,
}

impl Script {
    /// Takes a script; it must begin with `#!ipxe`.
    pub fn new(text: &str, variables: BTreeMap<String, String>) -> Result<Script, String> {
        if !text.trim_start().starts_with("#!ipxe") {
            return Err("the script does not begin with #!ipxe".into());
        }
        let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
        let lines: Vec<String> = joined.lines().map(|line| line.trim().to_string()).collect();
        if lines.len() > LINES {
            return Err("the script has more than 2000 lines".into());
        }
        let (last, pending) = (String::new(), VecDeque::new());
        Ok(Script { lines, line: 0, pending, succeeded: true, last, variables })
    }

    /// How the last `Do` went.
    pub fn told(&mut self, succeeded: bool) {
        self.succeeded = succeeded;
    }

    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// Goes on to the next thing that concerns the machine; each command takes one of `steps`.
    pub fn next(&mut self, steps: &mut u32) -> Do {
        loop {
            let Some((link, words)) = self.pending.pop_front() else {
                if !self.succeeded {
                    return Do::Fail(format!("`{}` failed", self.last));
                }
                let Some(line) = self.lines.get(self.line).cloned() else { return Do::Exit };
                self.line += 1;
                self.pending = commands(&line);
                continue;
            };
            let due = link == Link::First || (link == Link::And) == self.succeeded;
            if !due {
                continue;
            }
            let Some(left) = steps.checked_sub(1) else {
                return Do::Fail(format!("the script did not end within {STEPS} steps"));
            };
            *steps = left;
            if let Some(act) = self.execute(&words) {
                return act;
            }
        }
    }

    fn execute(&mut self, words: &[String]) -> Option<Do> {
        let words: Vec<String> = words.iter().map(|word| self.expand(word)).collect();
        // A variable that is not set leaves no word behind.
        let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
        let (command, arguments) = words.split_first()?;
        self.last = words.join(" ");
        self.succeeded = true;
        match *command {
            "echo" => Some(Do::Echo(arguments.join(" "))),
            "goto" => self.go_to(arguments.first().copied().unwrap_or_default()),
            "sleep" => self.sleep(arguments),
            "set" => self.set(arguments),
            "clear" => {
                self.variables.remove(*arguments.first()?);
                None
            }
            "isset" => self.result(!arguments.is_empty()),
            "iseq" => self.result(arguments.len() == 2 && arguments[0] == arguments[1]),
            // The network is up when a script runs, and one image is as good as another here.
            "dhcp" | "ifopen" | "ifconf" | "ifstat" | "imgstat" | "imgselect" => None,
            "imgfree" => Some(Do::Free),
            "kernel" => self.fetch(arguments, true),
            "initrd" | "module" => self.fetch(arguments, false),
            "chain" => self.image(arguments).map(|(url, _)| Do::Chain { url }),
            "boot" => Some(Do::Boot),
            "sanboot" => Some(Do::Sanboot),
            "reboot" => Some(Do::Reboot),
            "exit" => Some(match arguments.first() {
                None | Some(&"0") => Do::Exit,
                Some(code) => Do::Fail(format!("the script exits with {code}")),
            }),
            unknown => {
                tracing::debug!(command = unknown, "iPXE: command not found");
                self.result(false)
            }
        }
    }

    fn result(&mut self, succeeded: bool) -> Option<Do> {
        self.succeeded = succeeded;
        None
    }

    fn go_to(&mut self, label: &str) -> Option<Do> {
        match self
            .lines
            .iter()
            .position(|line| line.strip_prefix(':').is_some_and(|name| name.trim() == label))
        {
            Some(line) if !label.is_empty() => {
                self.line = line + 1;
                self.pending.clear();
                None
            }
            _ => self.result(false),
        }
    }

    fn sleep(&mut self, arguments: &[&str]) -> Option<Do> {
        match arguments.first().and_then(|text| text.parse().ok()) {
            Some(seconds) => Some(Do::Sleep(Duration::from_secs(seconds).min(SLEEP_LIMIT))),
            None => self.result(false),
        }
    }

    fn set(&mut self, arguments: &[&str]) -> Option<Do> {
        match arguments.split_first() {
            Some((name, value)) => {
                self.variables.insert((*name).to_string(), value.join(" "));
                None
            }
            None => self.result(false),
        }
    }

    fn fetch(&mut self, arguments: &[&str], kernel: bool) -> Option<Do> {
        let (url, arguments) = self.image(arguments)?;
        Some(if kernel { Do::Kernel { url, arguments } } else { Do::Initrd { url } })
    }

    /// The address and what follows it, past the options of the command.
    fn image(&mut self, arguments: &[&str]) -> Option<(String, Vec<String>)> {
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match *word {
                "--name" | "-n" | "--timeout" | "-t" => {
                    words.next();
                }
                option if option.starts_with('-') => {}
                url => return Some((url.to_string(), words.map(|word| (*word).to_string()).collect())),
            }
        }
        self.succeeded = false;
        None
    }

    /// Replaces each `${name}`; `${name:hexhyp}` writes a MAC with dashes. An unset name leaves nothing.
    fn expand(&self, word: &str) -> String {
        let (mut text, mut rest) = (String::new(), word);
        while let Some((before, after)) = rest.split_once("${") {
            text.push_str(before);
            let Some((name, tail)) = after.split_once('}') else {
                return text + "${" + after;
            };
            let (name, form) = name.split_once(':').unwrap_or((name, ""));
            let value = self.variables.get(name).map(String::as_str).unwrap_or_default();
            match form {
                "hexhyp" => text.push_str(&value.replace(':', "-")),
                "hexraw" => text.push_str(&value.replace(':', "")),
                _ => text.push_str(value),
            }
            rest = tail;
        }
        text + rest
    }
}

/// The commands of one line. Comments and labels give none; quotes keep words together.
fn commands(line: &str) -> VecDeque<(Link, Vec<String>)> {
    let mut commands = VecDeque::new();
    if line.starts_with(':') {
        return commands;
    }
    let (mut link, mut words) = (Link::First, Vec::new());
    for word in words_of(line) {
        match word.as_str() {
            "||" | "&&" => {
                commands.push_back((link, std::mem::take(&mut words)));
                link = if word == "||" { Link::Or } else { Link::And };
            }
            _ if word.starts_with('#') => break,
            _ => words.push(word),
        }
    }
    if !words.is_empty() {
        commands.push_back((link, words));
    }
    commands
}

fn words_of(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut inside) = (Vec::new(), String::new(), None, false);
    for character in line.chars() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '"' | '\'') => {
                quote = Some(character);
                inside = true;
            }
            (None, _) if character.is_whitespace() => {
                if inside {
                    words.push(std::mem::take(&mut word));
                }
                inside = false;
            }
            _ => {
                word.push(character);
                inside = true;
            }
        }
    }
    if inside {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a script in which every fetch of an address with `bad` in it fails, and lists what it did.
    fn run(text: &str) -> Vec<String> {
        let variables = [("net0/mac", "52:54:00:00:00:01"), ("uuid", "u-1")]
            .map(|(name, value)| (name.into(), value.into()));
        let mut script = Script::new(&format!("#!ipxe\n{text}"), variables.into()).unwrap();
        let (mut steps, mut done) = (40, Vec::new());
        loop {
            let act = script.next(&mut steps);
            let good = !format!("{act:?}").contains("bad");
            script.told(good);
            let end = matches!(act, Do::Boot | Do::Exit | Do::Fail(_) | Do::Reboot);
            done.push(match act {
                Do::Echo(text) => text,
                Do::Kernel { url, arguments } => format!("kernel {url} {}", arguments.join(" ")),
                Do::Initrd { url } => format!("initrd {url}"),
                Do::Fail(_) => "fail".into(),
                other => format!("{other:?}").to_lowercase(),
            });
            if end {
                return done;
            }
        }
    }

    #[test]
    fn the_interpreter_follows_scripts() {
        let table: &[(&str, &[&str])] = &[
            ("", &["exit"]),
            ("# echo a\necho b # c\nexit", &["b", "exit"]),
            ("echo ${net0/mac:hexhyp} ${uuid} ${none}", &["52-54-00-00-00-01 u-1", "exit"]),
            ("goto x\necho a\n:x\necho b", &["b", "exit"]),
            (
                "set n 5\nisset ${n} && echo yes || echo no\nclear n\nisset ${n} && echo yes || echo no",
                &["yes", "no", "exit"],
            ),
            (
                "kernel http://a/k initrd=i x=1 || goto again\ninitrd http://a/i\nboot",
                &["kernel http://a/k initrd=i x=1", "initrd http://a/i", "boot"],
            ),
            (
                "kernel --name k bad || goto again\nboot\n:again\necho no\nexit",
                &["kernel bad ", "no", "exit"],
            ),
            ("kernel bad\nboot", &["kernel bad ", "fail"]),
            ("frobnicate", &["fail"]),
            ("frobnicate || echo fine", &["fine", "exit"]),
            ("goto nowhere", &["fail"]),
            ("exit 1", &["fail"]),
            ("echo 'two  words' \\\n more", &["two  words more", "exit"]),
            ("iseq a a && reboot", &["reboot"]),
        ];
        for (text, expected) in table {
            assert_eq!(run(text), *expected, "{text}");
        }
        assert!(Script::new("echo", BTreeMap::new()).is_err());
    }

    #[test]
    fn a_script_that_turns_in_a_circle_fails() {
        assert_eq!(run(":a\ngoto a").last().unwrap(), "fail");
        let slept = run(":a\nsleep 2\ngoto a");
        assert_eq!(slept.iter().filter(|act| *act == "sleep(2s)").count(), 20);
    }
}
