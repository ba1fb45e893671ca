//! What container and command effects share: options, payload, output into the run's log, and the answer.

use super::{Live, store_failed};
use crate::effect::observe::script_node;
use crate::effect::{Job, Performed, failure};
use crate::model::value::Value;
use crate::script::tape::EffectFailure;
use crate::store::Message;
use crate::units;
use crate::world::program::{Ending, Lines, OUTPUT_BYTES, Payload, Stream, Tail};
use std::time::Duration;

const DEFAULT_TIME: Duration = Duration::from_secs(30 * 60);
/// What runs for longer belongs into a service.
const LONGEST_TIME: Duration = Duration::from_secs(24 * 60 * 60);
/// What of an effect's output goes into the log; with long lines the bytes come first.
const LOG_LINES: usize = 100_000;
const LOG_BYTES: usize = 16 << 20;

/// Lines of each output in a failure.
const SAID: usize = 10;
/// 128 and SIGKILL. Not every engine says that it was for want of memory.
const KILLED: i64 = 137;

/// The options that both have.
pub struct Options<'a> {
    given: Option<&'a Value>,
}

impl<'a> Options<'a> {
    pub fn of(job: &'a Job<'_>, index: usize) -> Options<'a> {
        Options { given: job.call.args.get(index).filter(|value| !value.is_null()) }
    }

    pub fn get(&self, name: &str) -> Option<&'a Value> {
        self.given?.get(name).filter(|value| !value.is_null())
    }

    pub fn str(&self, name: &str) -> Option<&'a str> {
        self.get(name)?.as_str()
    }

    pub fn texts(&self, name: &str) -> Vec<String> {
        texts(self.get(name))
    }

    /// A number within bounds, or the default.
    pub fn number(&self, name: &str, default: i64, most: i64) -> Result<i64, EffectFailure> {
        match self.get(name).and_then(Value::as_int) {
            None => Ok(default),
            Some(number) if (1..=most).contains(&number) => Ok(number),
            Some(number) => Err(failure(format!("`{name}` is {number}; it goes from 1 to {most}"), false)),
        }
    }

    pub fn time(&self) -> Result<Duration, EffectFailure> {
        let Some(text) = self.str("time") else { return Ok(DEFAULT_TIME) };
        let time = units::duration(text).map_err(|error| failure(error.to_string(), false))?;
        match time.is_zero() || time > LONGEST_TIME {
            true => {
                Err(failure(format!("`time` is {text}; it goes up to {}", units::short(LONGEST_TIME)), false))
            }
            false => Ok(time),
        }
    }

    pub fn env(&self) -> Result<Vec<(String, String)>, EffectFailure> {
        let named = self.get("env").and_then(Value::as_map).into_iter().flatten();
        named
            .map(|(name, value)| {
                let is_plain = !name.is_empty() && !name.contains(['=', '\0']);
                let value = value.as_str().filter(|value| is_plain && !value.contains('\0'));
                let value = value
                    .ok_or_else(|| failure(format!("`{name}` cannot stand in an environment"), false))?;
                Ok((name.to_string(), value.to_string()))
            })
            .collect()
    }

    /// Left out, because the machines are those of a rehearsal and the task does not say `run`.
    pub fn is_skipped(&self, live: &Live) -> bool {
        live.outside.rehearsed && self.str("rehearse") != Some("run")
    }

    /// What the program is given. Secrets in it are in clear only when the options say so.
    pub fn payload(&self, job: &Job<'_>) -> Result<Payload, EffectFailure> {
        let node = script_node(job.target, job.task);
        let value = Value::map([
            ("node", Value::from(node.name.to_string())),
            ("task", Value::from(job.task.name.to_string())),
            ("spec", node.spec),
            ("params", self.get("params").cloned().unwrap_or_else(Value::empty_map)),
        ]);
        let with_secrets = self.get("secrets").and_then(Value::as_bool).unwrap_or_default();
        Payload::of(&value, with_secrets).map_err(|error| failure(error.to_string(), false))
    }
}

pub fn texts(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_list).unwrap_or_default();
    items.iter().filter_map(Value::as_str).map(str::to_string).collect()
}

/// An argument with the names that both kinds know put in.
pub fn named(arg: &str, job: &Job<'_>, live: &Live) -> String {
    let design = live.outside.design.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    arg.replace("{node}", &job.target.node).replace("{design}", &design)
}

/// The answer of an effect that a rehearsal leaves out, with a warning in the log.
pub async fn skipped(live: &Live, job: &Job<'_>, what: &str) -> Performed {
    let text =
        format!("{what} was not run: this is a rehearsal, and its task does not say `rehearse \"run\"`");
    let written = write(live, job, "warning", vec![(text, job.id.0.clone())]).await;
    let answer = answer(0, Value::Null, [String::new(), String::new()], true);
    Performed::read(written.map(|()| answer))
}

fn answer(exit: i64, result: Value, [out, err]: [String; 2], skipped: bool) -> Value {
    Value::map([
        ("exit", Value::Int(exit)),
        ("result", result),
        ("stdout_tail", Value::from(out)),
        ("stderr_tail", Value::from(err)),
        ("skipped", Value::Bool(skipped)),
    ])
}

async fn write(
    live: &Live,
    job: &Job<'_>,
    level: &'static str,
    lines: Vec<(String, String)>,
) -> Result<(), EffectFailure> {
    let fence = live.fence().map_err(|error| store_failed(&error))?;
    let message = |(text, effect): (String, String)| Message {
        run: job.run.to_string(),
        node: Some(job.target.node.clone()),
        step: Some(job.step.clone()),
        at: (live.now)(),
        level,
        text,
        effect: Some(effect),
    };
    let messages = lines.into_iter().map(message).collect();
    live.store.write_messages(fence, messages).await.map_err(|error| store_failed(&error))
}

/// What a program says, on its way into the run's log. Lines are numbered, so that one that is read again after a crash
/// is not written again.
pub struct Heard<'a> {
    live: &'a Live,
    job: &'a Job<'a>,
    payload: &'a Payload,
    lines: [Lines; 2],
    tails: [Tail; 2],
    counts: [usize; 2],
    bytes: usize,
    is_full: bool,
    /// The last line on standard output.
    last: String,
    failed: Option<EffectFailure>,
}

impl<'a> Heard<'a> {
    pub fn new(live: &'a Live, job: &'a Job<'a>, payload: &'a Payload) -> Heard<'a> {
        Heard {
            live,
            job,
            payload,
            lines: Default::default(),
            tails: Default::default(),
            counts: [0; 2],
            bytes: 0,
            is_full: false,
            last: String::new(),
            failed: None,
        }
    }

    /// Takes what was written.
    pub async fn take(&mut self, stream: Stream, bytes: &[u8]) {
        let lines = self.lines[stream as usize].push(bytes);
        self.bytes += bytes.len();
        self.keep(stream, lines).await;
    }

    async fn keep(&mut self, stream: Stream, lines: Vec<String>) {
        let mut kept = Vec::with_capacity(lines.len());
        for line in lines {
            let line = self.payload.hide(line);
            self.tails[stream as usize].push(&line);
            let word = if stream == Stream::Out { "out" } else { "err" };
            let number = self.counts[stream as usize];
            self.counts[stream as usize] += 1;
            let is_full = self.counts[0] + self.counts[1] > LOG_LINES || self.bytes > LOG_BYTES;
            if !is_full {
                kept.push((line.clone(), format!("{}/{word}/{number}", self.job.id)));
            }
            if stream == Stream::Out && !line.trim().is_empty() {
                self.last = line;
            }
        }
        let filled = !self.is_full && (self.counts[0] + self.counts[1] > LOG_LINES || self.bytes > LOG_BYTES);
        self.note(write(self.live, self.job, "info", kept).await);
        if filled {
            self.is_full = true;
            let text = format!(
                "the output is longer than {LOG_LINES} lines or {} MiB; what comes now is not in the log",
                LOG_BYTES >> 20
            );
            let full = vec![(text, format!("{}/full", self.job.id))];
            self.note(write(self.live, self.job, "warning", full).await);
        }
    }

    fn note(&mut self, written: Result<(), EffectFailure>) {
        if let Err(why) = written {
            self.failed.get_or_insert(why);
        }
    }

    /// What came of it, once the program has ended. `file` is what it wrote into its result file.
    pub async fn performed(mut self, ending: Ending, file: &[u8], options: &Options<'_>) -> Performed {
        for stream in [Stream::Out, Stream::Err] {
            let rest = self.lines[stream as usize].finish();
            self.keep(stream, rest.into_iter().collect()).await;
        }
        let answer = match self.failed.take() {
            // Its lines are not all on record: it is looked for again.
            Some(why) => return Performed { answer: Err(why), wrote: true, perhaps: true },
            None => self.answer(ending, file, options),
        };
        Performed { answer, wrote: true, perhaps: false }
    }

    fn answer(&self, ending: Ending, file: &[u8], options: &Options<'_>) -> Result<Value, EffectFailure> {
        let time = options.time().map(units::short).unwrap_or_default();
        let why = match ending {
            Ending::Exited { code: 0 } => return self.result(file),
            Ending::Exited { code: KILLED } => {
                "it was killed (exit code 137), as is whatever takes more memory than it may have".to_string()
            }
            Ending::Exited { code } => format!("it ended with exit code {code}"),
            Ending::TimedOut => format!("it did not end within {time} and was killed"),
            Ending::Stopped => "its run was cancelled and it was killed".to_string(),
            Ending::OutOfMemory => "it took more memory than it may have and was killed".to_string(),
            Ending::WroteTooMuch => format!("it wrote more than {} MiB and was killed", OUTPUT_BYTES >> 20),
            Ending::NotStarted { why } => format!("it could not be started: {why}"),
        };
        // Some programs say on the one what went wrong, some on the other.
        let said = [1, 0].map(|stream| self.tails[stream].last(SAID));
        let said: Vec<String> = said.into_iter().filter(|text| !text.is_empty()).collect();
        let why = if said.is_empty() { why } else { format!("{why}: {}", said.join("\n")) };
        Err(failure(why, false))
    }

    fn result(&self, file: &[u8]) -> Result<Value, EffectFailure> {
        let tails = self.tails.each_ref().map(Tail::text);
        let result = match file.iter().all(u8::is_ascii_whitespace) {
            true => serde_json::from_str(&self.last).unwrap_or_default(),
            false => {
                let text = self.payload.hide(String::from_utf8_lossy(file).into_owned());
                let wrong = |error| failure(format!("its result file is no JSON: {error}"), false);
                serde_json::from_str::<serde_json::Value>(&text).map_err(wrong)?
            }
        };
        Ok(answer(0, Value::from_json(&result), tails, false))
    }
}
