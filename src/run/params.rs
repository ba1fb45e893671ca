//! The parameters of an attempt: references to outputs of earlier steps become the values that those have left.
//!
//! They are made out once, when an attempt begins, and kept with it: what it resumes with is what it began with.

use super::prepared::PreparedStep;
use crate::effect::Target;
use crate::model::param::output_of;
use crate::model::value::Value;
use crate::store::{Store, StoreError};

/// The parameters of `step` on `target`; the inner error says which output is missing or does not fit.
pub async fn resolved(
    store: &Store,
    run: &str,
    target: &Target,
    step: &PreparedStep,
) -> Result<Result<Value, String>, StoreError> {
    let mut params = step.task.params_of(&step.pinned.step, &target.spec);
    let open: Vec<_> = params
        .as_map()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| {
            let (from, output) = output_of(value)?;
            Some((name.clone(), from.to_string(), output.to_string()))
        })
        .collect();
    for (name, from, output) in open {
        let found = store.output(run, &target.node, &step.recorded_as(&from), &output).await?;
        let Some(value) = found else {
            return Ok(Err(format!(
                "its parameter `{name}` is output `{output}` of step `{from}`, which that step has never set"
            )));
        };
        let declared = step.task.params.iter().find(|param| param.name == name);
        if let Some(Err(wanted)) = declared.map(|param| param.fits(&value)) {
            return Ok(Err(format!(
                "its parameter `{name}` must be {wanted}; output `{output}` of step `{from}` is {}",
                value.redacted()
            )));
        }
        params.put(&[name], value);
    }
    Ok(Ok(params))
}
