//! Power: buttons, transitions, and the one task that a powered machine is.
//!
//! Owns who may run on the machine: each press ends the task before it and starts the next turn. What runs
//! after power-on is the firmware's.

use super::activity::{Activity, Cut};
use super::{Live, Machine, Power, firmware};
use crate::virtual_rack::boot::installed;
use crate::virtual_rack::clock;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::AbortHandle;

/// The least time of a transition; a machine takes up to half as much more. Long enough that a client sees
/// `PoweringOn`, short enough for a thousand machines in a test.
const TRANSITION: Duration = Duration::from_millis(25);
/// How long a system takes to shut down.
const SHUTDOWN: Duration = Duration::from_millis(60);
/// Without power between off and on.
const PAUSE: Duration = Duration::from_millis(20);

/// What is done to a machine's power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    On,
    Off,
    /// Off, after the system has shut down.
    Shutdown,
    /// Reset without power loss.
    Reset,
    /// Off, then on.
    Cycle,
}

/// The machine's power does not allow the press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

/// What the next turn begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    Start,
    Stop(Duration),
    Cycle,
    Reset,
    /// The rack restarted around a machine that was on.
    Resume,
}

/// Presses a button. `Ok` also when the machine is already there.
pub fn press(machine: &Arc<Machine>, press: Press) -> Result<(), Refused> {
    let mut live = machine.live();
    // Where the machine is going, not where it is: in the dark half of a cycle it is as good as on.
    let up = live.board.powered;
    let dark = !matches!(live.power, Power::On | Power::PoweringOn);
    let course = match (press, up) {
        (Press::On, true) | (Press::Off | Press::Shutdown, false) => return Ok(()),
        (Press::Reset, false) => return Err(Refused),
        (Press::On | Press::Cycle, false) => Course::Start,
        (Press::Reset, true) if dark => Course::Start,
        (Press::Off, true) => Course::Stop(TRANSITION),
        (Press::Shutdown, true) => Course::Stop(SHUTDOWN),
        (Press::Reset, true) => Course::Reset,
        (Press::Cycle, true) => Course::Cycle,
    };
    begin(machine, &mut live, course);
    Ok(())
}

/// Takes up again what the machine did when the rack was last there.
pub fn resume(machine: &Arc<Machine>) {
    let mut live = machine.live();
    if live.power == Power::On {
        begin(machine, &mut live, Course::Resume);
    }
}

/// Ends whatever runs on the machine without touching its power: the rack itself goes away.
pub fn freeze(machine: &Machine) {
    let mut live = machine.live();
    live.turn += 1;
    live.task.take().inspect(AbortHandle::abort);
}

fn begin(machine: &Arc<Machine>, live: &mut Live, course: Course) {
    live.task.take().inspect(AbortHandle::abort);
    live.end_open(machine, "interrupted", "the machine was reset or lost its power");
    live.turn += 1;
    live.said.clear();
    if course != Course::Resume {
        live.board.running = None;
    }
    if matches!(course, Course::Start | Course::Cycle | Course::Reset) {
        live.board.last_reset = Some(clock::now());
    }
    (live.power, live.board.powered) = match course {
        Course::Start => (Power::PoweringOn, true),
        Course::Stop(_) => (Power::PoweringOff, false),
        // Power comes back by itself, so a rack that restarts in between finds it on.
        Course::Cycle => (Power::PoweringOff, true),
        Course::Reset | Course::Resume => (Power::On, true),
    };
    machine.keep(live);
    let activity = Activity::new(machine.clone(), live.turn);
    live.task = Some(tokio::spawn(run(activity, course)).abort_handle());
}

/// A turn from its first transition to the end of power.
async fn run(activity: Activity, course: Course) {
    let ended = match course {
        Course::Stop(time) => stop(&activity, time).await,
        Course::Start => start(&activity).await,
        Course::Cycle => cycle(&activity).await,
        Course::Reset => firmware::run(&activity).await,
        Course::Resume => take_up(&activity).await,
    };
    if ended.is_err() {
        tracing::trace!(node = %activity.machine().spec.node, "a turn was overtaken by the next");
    }
}

async fn stop(activity: &Activity, time: Duration) -> Result<(), Cut> {
    activity.lasts("stop", time).await;
    activity.set_power(Power::Off)
}

async fn cycle(activity: &Activity) -> Result<(), Cut> {
    stop(activity, TRANSITION).await?;
    tokio::time::sleep(PAUSE).await;
    activity.set_power(Power::PoweringOn)?;
    start(activity).await
}

async fn start(activity: &Activity) -> Result<(), Cut> {
    let machine = activity.machine();
    let flap = machine.around.faults.power_flap(&machine.spec.node, machine.next_power_on());
    activity.lasts("start", TRANSITION).await;
    activity.set_power(Power::On)?;
    let Some(after) = flap else { return firmware::run(activity).await };
    match tokio::time::timeout(after, firmware::run(activity)).await {
        Ok(ended) => ended,
        Err(_) => activity.loses_power(),
    }
}

/// An installed system goes on running, without a boot; anything else begins at the firmware again.
async fn take_up(activity: &Activity) -> Result<(), Cut> {
    let running = activity.machine().live().board.running.clone();
    if let Some(running) = running {
        installed::stay(activity, running).await?;
    }
    firmware::run(activity).await
}
