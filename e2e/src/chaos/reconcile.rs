//! Reconciliation of received verdicts with the console's hits.

use super::{load::Load, traffic::Numbered};
use anyhow::{Context as _, ensure};
use serde_json::Value;
use std::collections::HashSet;

/// A part of the error about lost hits.
pub const MISSING: &str = "are not in the console";

/// Reports the totals; an error names the violation.
pub(super) fn reconcile(load: &Load, hits: &[Value], report: &mut impl FnMut(String)) -> anyhow::Result<()> {
    let sent: HashSet<String> =
        (0..load.requests).map(Numbered).filter(|number| number.is_attack()).map(Numbered::id).collect();
    let acknowledged = load.acknowledged();
    let (mut listed, mut twice) = (HashSet::new(), 0);
    for hit in hits {
        let text =
            |name: &str| hit[name].as_str().map(str::to_owned).with_context(|| format!("no {name}: {hit}"));
        if !listed.insert((text("request_id")?, text("type")?)) {
            twice += 1;
        }
    }
    let ids: HashSet<String> = listed.iter().map(|(id, _)| id.clone()).collect();

    report(format!("requests answered      {:7}  retries: {}", load.answered(), load.retries()));
    report(format!("attacks sent           {:7}", sent.len()));
    report(format!(
        "attacks with a verdict {:7}  hits in them: {}",
        acknowledged.ids.len(),
        acknowledged.hits.len()
    ));
    report(format!("attacks in the console {:7}  hits in them: {}", ids.len(), listed.len()));

    let missing = acknowledged.ids.difference(&ids).count();
    let missing_hits = acknowledged.hits.difference(&listed).count();
    let unknown = ids.difference(&sent).count();
    report(format!("missing in the console {missing:7}  hits: {missing_hits}"));
    report(format!("never sent             {unknown:7}"));
    report(format!("hits listed twice      {twice:7}"));
    ensure!(
        missing == 0 && missing_hits == 0,
        "{missing} attacks and {missing_hits} hits with a verdict {MISSING}"
    );
    ensure!(unknown == 0, "{unknown} requests in the console were not sent as attacks");
    ensure!(twice == 0, "{twice} hits are in the console twice");
    report("ok: verdicts ⊆ console ⊆ sent, nothing twice".to_owned());
    Ok(())
}
