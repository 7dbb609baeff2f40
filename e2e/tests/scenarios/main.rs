//! The scenarios: guarantees of the whole system, each tested on a stack of its own.
//!
//! `cargo test --workspace` runs the quick ones; `just e2e` runs all and prints their measurements.

mod access_logs;
mod blocking;
mod coverage;
mod faults;
mod load;
mod log_encodings;
mod out_of_band;
mod poisoning;
mod responses;
mod rules;
mod runtime;
mod stages;
mod survival;
mod truncated;

use e2e::stack::TriggerPair::{Both, Mixed, Origin, Viewer};
use poisoning::Settings;

/// A test per line, `name => function, arguments;`. The function gets the programs first.
macro_rules! scenarios {
    ($($(#[$attribute:meta])* $name:ident => $scenario:path $(, $argument:expr)*;)+) => {$(
        $(#[$attribute])*
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() -> anyhow::Result<()> {
            $scenario(&*e2e::exclusive::binaries().await? $(, $argument)*).await
        }
    )+};
}

scenarios! {
    functions_run_as_the_rust_program_and_are_frozen_between_requests =>
        runtime::functions_are_the_rust_program;
    unusable_program_in_a_bundle_lets_every_request_pass =>
        runtime::unusable_program_lets_all_pass;
    #[ignore = "slow; `just e2e` runs it"]
    connector_sends_the_same_bytes_as_the_python_function_of_the_benchmark =>
        load::same_work_as_python;

    benign_request_reaches_the_origin_byte_for_byte_at_viewer_triggers =>
        blocking::benign_is_byte_identical, Viewer;
    benign_request_reaches_the_origin_byte_for_byte_at_origin_triggers =>
        blocking::benign_is_byte_identical, Origin;
    benign_request_reaches_the_origin_byte_for_byte_through_both_stages =>
        blocking::benign_is_byte_identical, Both;
    path_traversal_is_blocked_and_listed_at_viewer_triggers =>
        blocking::path_traversal_is_blocked, Viewer;
    path_traversal_is_blocked_and_listed_at_origin_triggers =>
        blocking::path_traversal_is_blocked, Origin;
    monitoring_lets_an_attack_pass_and_lists_it =>
        blocking::monitoring_lets_through;
    monitoring_blocks_testers_with_the_secret_and_keeps_it_out_of_hits =>
        blocking::testers_are_blocked_in_monitoring;
    bypassed_paths_pass_and_are_counted_while_lookalikes_are_inspected =>
        blocking::exempt_requests_are_counted;
    node_with_a_signing_key_rejects_unsigned_calls =>
        blocking::unsigned_calls_are_refused;
    hit_with_texts_beyond_the_limits_is_listed =>
        blocking::long_texts_are_listed;
    sql_injection_is_found_at_its_parameter =>
        blocking::sql_injection_is_found_at_its_parameter;
    xss_is_found_in_form_json_and_multipart_bodies =>
        blocking::xss_is_found_in_bodies;

    block_page_is_not_cached_when_errors_are_cached_as_documented =>
        poisoning::next_visitor, Settings::DOCUMENTED;
    block_page_is_cached_in_spite_of_no_store_when_errors_are_cached_pessimistically =>
        poisoning::next_visitor, Settings::PESSIMISTIC;
    block_page_without_no_store_is_cached_when_the_error_caching_ttl_is_zero =>
        poisoning::next_visitor, Settings::WITHOUT_ERROR_TTL;

    both_stages_call_the_node_once_and_record_one_hit =>
        stages::one_hit_per_request;
    viewers_and_replayed_marks_do_not_skip_the_origin_stage =>
        stages::forged_marks_are_inspected;
    marks_do_not_divide_the_cache =>
        stages::cached_answers_are_shared;
    failover_inspects_once_through_both_stages =>
        stages::failover_calls_the_node_once;
    stages_of_different_versions_inspect_twice_at_most =>
        stages::versions_may_differ;

    #[ignore = "slow; `just e2e` runs it"]
    nothing_of_a_truncated_body_passes_silently =>
        truncated::every_cell_is_blocked_or_counted, truncated::Extent::Diagonal;
    #[ignore = "slow; `just truncated-bodies` runs it"]
    nothing_of_a_truncated_body_passes_silently_in_any_deployment =>
        truncated::every_cell_is_blocked_or_counted, truncated::Extent::Full;

    denylisted_address_is_blocked_within_a_second_and_passes_again_after_removal =>
        rules::a_denied_address_is_blocked_at_once;
    virtual_patch_blocks_in_monitoring_and_after_a_restart_without_the_console =>
        rules::a_virtual_patch_blocks_in_monitoring;
    exclusion_lets_the_same_request_pass_and_no_other =>
        rules::an_exclusion_lets_the_same_request_pass;

    attack_on_a_cached_object_is_listed_once_from_the_log_at_origin_triggers =>
        access_logs::cached_attack_is_seen_by_log;
    attack_at_viewer_triggers_is_one_hit_completed_by_the_log =>
        access_logs::viewer_attack_is_completed;
    firehose_delivers_records_once_across_a_kill_of_the_node =>
        access_logs::firehose_survives_a_kill;
    logs_of_nasty_values_have_the_findings_of_functions =>
        log_encodings::logs_have_the_findings_of_functions;
    coverage_counts_each_record_of_a_log_once_across_kills =>
        coverage::sums_equal_the_log, coverage::FEW;
    #[ignore = "slow; `just coverage-of-200000` runs it"]
    coverage_counts_each_of_200000_records_once_across_kills =>
        coverage::sums_equal_the_log, coverage::MANY;

    out_of_band_call_starts_after_the_reply =>
        out_of_band::reply_goes_before_the_call;
    hit_shows_the_origins_status_at_viewer_triggers =>
        responses::hit_shows_the_status, Viewer, 200;
    hit_shows_the_origins_status_at_origin_triggers =>
        responses::hit_shows_the_status, Origin, 404;
    hit_shows_the_origins_status_at_viewer_request_with_origin_response =>
        responses::hit_shows_the_status, Mixed, 503;

    requests_pass_while_the_node_is_unreachable_and_are_reported_afterwards =>
        survival::node_is_away;
    console_killed_during_attacks_loses_no_hit =>
        survival::console_is_away;
    node_killed_under_attack_loses_no_block_and_lists_none_twice =>
        survival::node_is_killed;

    #[ignore = "slow; `just e2e` runs it"]
    faulty_node_never_delays_a_visitor_beyond_the_deadline =>
        faults::node_misbehaves;
    #[ignore = "slow; `just e2e` runs it"]
    unreachable_node_never_delays_a_visitor_beyond_the_deadline =>
        faults::node_is_nowhere;
    #[ignore = "slow; `just e2e` runs it"]
    kills_under_load_lose_no_verdict_and_repeat_none =>
        load::nothing_is_lost;
    #[ignore = "slow; `just e2e` runs it"]
    lost_spool_is_detected =>
        load::a_lost_spool_is_noticed;
}
