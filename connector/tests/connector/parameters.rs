//! Every parameter at every trigger: the effect of a valid value, the fail mode for an invalid one.

mod bench;
mod rows;

use bench::{Bench, TRIGGERS};
use rows::{INVALID, ROWS, Row};
use std::{collections::BTreeSet, fmt::Write as _};

/// The parameters of the launcher.
fn parameters() -> BTreeSet<&'static str> {
    let launcher = include_str!("../../launcher/lambda_function.py");
    let names = launcher.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    names.filter(|name| name.starts_with("wlrm_")).collect()
}

#[test]
fn every_parameter_has_rows() {
    assert_eq!(ROWS.iter().map(|row| row.parameter).collect::<BTreeSet<_>>(), parameters());
    assert_eq!(INVALID.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>(), parameters());
}

#[test]
fn every_parameter_is_documented() {
    let table = include_str!("../../../docs/connector.md");
    let documented =
        |name: &str| table.lines().any(|line| line.starts_with('|') && line.contains(&format!("`{name}`")));
    let missing: Vec<_> = parameters().into_iter().filter(|name| !documented(name)).collect();
    assert_eq!(missing, [""; 0]);
}

#[tokio::test]
async fn a_valid_value_has_its_effect_at_each_trigger() {
    let mut table = String::new();
    for row in ROWS {
        let at_triggers = TRIGGERS.map(|trigger| async move {
            let (without, with) =
                tokio::join!(async { Bench::start(row, trigger, None).await.observe(row).await }, async {
                    Bench::start(row, trigger, Some(row.value)).await.observe(row).await
                },);
            without.difference(&with)
        });
        let Row { parameter, value, why, .. } = row;
        let [a, b, c, d] = at_triggers;
        let (a, b, c, d) = tokio::join!(a, b, c, d);
        let changes = [a, b, c, d];
        assert!(changes.iter().any(|change| !change.is_empty()), "{parameter} = {value} changes nothing");
        writeln!(table, "{parameter} = {value}{}{why}", if why.is_empty() { "" } else { "   " }).unwrap();
        for (trigger, change) in TRIGGERS.iter().zip(changes) {
            let change = if change.is_empty() { "the same" } else { &change };
            writeln!(table, "    {:<16} {change}", trigger.name).unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn an_invalid_value_is_named_in_the_log_and_the_fail_mode_decides() {
    for (parameter, values) in INVALID {
        for (value, trigger) in values.iter().flat_map(|value| TRIGGERS.map(|trigger| (value, trigger))) {
            for fail_mode in ["open", "closed"] {
                let bench = Bench::misconfigured(parameter, value, trigger, fail_mode).await;
                let log = bench.log();
                let [first, ..] = &log[..] else { panic!("{parameter} = {value}: nothing is logged") };
                let named = first.contains("misconfigured") && first.contains(&format!("{parameter} = "));
                assert!(named, "{parameter} = {value}: {first}");

                let observed = bench.observe(&Row::default()).await;
                let closes = fail_mode == "closed" && trigger.is_request() && *parameter != "wlrm_fail_mode";
                let reply = if closes { "403 text/html; charset=utf-8" } else { "unchanged" };
                let at = format!("{parameter} = {value} at {}, {fail_mode}", trigger.name);
                assert_eq!((&*observed["reply"], &*observed["calls"]), (reply, "0"), "{at}");
                let reason = if trigger.is_request() { "misconfigured" } else { "" };
                assert_eq!(observed["not inspected"], reason, "{at}");
            }
        }
    }
}
