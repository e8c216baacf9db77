//! The laws, as scenarios that every flavour and every loop runs.
//!
//! A scenario is written once. Its body is a [`Script`]: a state machine that says what to do next, so that each
//! flavour needs only [`perform!`](crate::perform) to perform it in its own engine. A crate with a flavour of its own
//! implements [`Flavour`] and gets one `#[test]` per law:
//!
//! ```
//! use coro_core::conformance::{Flavour, Script, Subject};
//! use coro_core::native::Native;
//!
//! struct MyFlavour;
//!
//! impl Flavour for MyFlavour {
//!     fn coroutine<S: 'static, Y: 'static, R: 'static, E: 'static>(
//!         mut script: Script<S, Y, R, E>,
//!     ) -> Subject<S, Y, R, E> {
//!         Box::new(Native::new(async move |co| coro_core::perform!(script, co, await)))
//!     }
//! }
//!
//! mod laws {
//!     use super::MyFlavour;
//!     coro_core::coroutine_conformance!(MyFlavour);
//! }
//! mod simulated {
//!     use super::MyFlavour;
//!     coro_core::event_loop_conformance!(MyFlavour, coro_core::Loop::simulated);
//! }
//! # fn main() {}
//! ```
//!
//! Two third parties of this repository do so: `examples/tests/by_hand_engine.rs` has an engine of its own, and
//! `examples/tests/by_hand.rs` a coroutine that is written by hand from its first law to its last.

pub mod cancellation;
pub mod channel;
pub mod child;
pub mod circle;
pub mod combinator;
pub mod condition;
pub mod context;
pub mod coroutine;
pub mod delegation;
pub mod drive;
pub mod event_loop;
pub mod executor;
mod forgotten;
pub mod future;
pub mod group;
pub mod loud;
mod natives;
pub mod network;
mod plan;
pub mod program;
pub mod queue;
pub mod scope;
mod script;
pub mod semaphore;
mod setting;
pub mod shared_value;
pub mod shutdown;
pub mod sync;
pub mod task;
pub mod timeout;
mod trace;
pub mod waits;
mod watched;

pub use natives::Natives;
pub use plan::{Plan, plan};
pub use script::{Do, Flavour, Leaf, Script, Step, Subject};
pub use setting::{MakeLoop, reports};
pub use trace::Trace;
pub use watched::Watched;

/// Makes a module's worth of tests of scenarios: one `#[test]` for each name.
#[doc(hidden)]
#[macro_export]
macro_rules! __scenarios {
    ($module:ident, $flavour:ty, $arguments:tt, [$($name:ident),* $(,)?]) => {
        $(
            #[test]
            fn $name() {
                $crate::conformance::$module::$name::<$flavour> $arguments;
            }
        )*
    };
}

/// One `#[test]` for each law of the [contract](mod@crate::coroutine), run on a
/// [`Flavour`](crate::conformance::Flavour).
#[macro_export]
macro_rules! coroutine_conformance {
    ($flavour:ty) => {
        $crate::nesting_coroutine_conformance!($flavour);
        $crate::__scenarios!(delegation, $flavour, (), [a_deep_chain_neither_nests_nor_overflows]);
    };
}

/// The same for a coroutine without a [`Machine`](crate::backend::Machine), which resumes what it delegates to itself:
/// without the law of depth, since such delegations nest.
#[macro_export]
macro_rules! nesting_coroutine_conformance {
    ($flavour:ty) => {
        $crate::__scenarios!(
            coroutine,
            $flavour,
            (),
            [
                l1_created_refuses_a_value,
                l2_throw_into_created_never_runs_the_body,
                l3_close_of_created_never_runs_the_body,
                l4_finished_for_ever,
                l5_finished_throws_back_and_closes,
                l6_running_refuses_everything_catchably,
                l7_throw_appears_at_the_yield,
                l7_throw_can_end_in_a_return_or_another_error,
                l8_close_gives_the_returned_value,
                l8_close_lets_exit_out,
                l8_close_propagates_another_error,
                l8_a_yield_during_close_is_handed_back_and_it_lives_on,
                l9_ordinary_handlers_do_not_catch_exit,
                l9_a_thrown_exit_may_be_answered_with_a_yield,
                l10_close_is_idempotent,
                l11_an_uncaught_error_finishes,
                l11_a_panic_finishes_and_goes_on_in_the_caller,
                suspended_refuses_to_go_on_without_input,
                values_go_both_ways,
                a_park_is_pending_and_its_wake_is_that_of_the_resume,
                a_wait_without_a_wake_would_park_and_loses_nothing,
                parked_refuses_a_value,
                a_throw_lands_at_a_wait,
                a_close_lands_at_a_wait_and_cleanup_may_wait,
                a_yield_after_a_wait_in_a_close_is_still_ignored_exit,
                drop_releases_what_the_body_holds_in_every_state,
                a_thousand_yields_keep_their_order,
            ]
        );
        $crate::__scenarios!(
            delegation,
            $flavour,
            (),
            [
                d1_d2_values_pass_through_and_returns_come_back,
                d3_the_error_of_the_sub_is_raised_at_the_expression,
                d4_a_throw_goes_to_the_innermost,
                d5_exit_closes_from_the_inside_and_values_are_dropped,
                d5_another_error_replaces_the_exit,
                d5_a_sub_that_ignores_its_exit_is_dropped_and_its_delegator_told,
                d7_an_iterator_is_delegated_to,
                d8_a_started_sub_goes_on_where_it_is,
                d8_what_cannot_be_delegated_to_is_a_misuse_at_the_expression,
                d8_delegating_to_oneself_is_a_misuse,
                d8_a_shared_sub_outlives_the_delegation,
                d9_the_chain_is_visible_while_it_is_suspended,
                a_panic_drops_the_frames_from_the_top,
                a_chain_is_dropped_from_the_top,
                a_wait_of_the_innermost_parks_the_chain
            ]
        );
    };
}

/// One `#[test]` for each law of the [loop](crate::event_loop), run with the tasks of a
/// [`Flavour`](crate::conformance::Flavour) on loops that the given function makes.
#[macro_export]
macro_rules! event_loop_conformance {
    ($flavour:ty, $make_loop:expr) => {
        $crate::completing_event_loop_conformance!($flavour, $make_loop);
        $crate::__scenarios!(network, $flavour, (&$make_loop), [what_has_arrived_comes_before_a_timer]);
    };
}

/// The same for a loop whose driver has somebody else receive what arrives, and is told some time later: without the law of
/// what has arrived by now.
#[macro_export]
macro_rules! completing_event_loop_conformance {
    ($flavour:ty, $make_loop:expr) => {
        $crate::__scenarios!(
            event_loop,
            $flavour,
            (&$make_loop),
            [
                callbacks_run_in_order_and_what_they_schedule_waits,
                ready_runs_before_timers,
                neither_what_is_ready_nor_a_stop_waits_for_a_deadline,
                what_is_always_ready_keeps_no_timer_waiting,
                stop_finishes_the_batch,
                stop_before_run_makes_one_turn,
                a_stopped_run_can_be_taken_up_again,
                timers_run_by_deadline_then_sequence,
                a_cancelled_timer_leaves_nothing,
                a_cancelled_callback_is_not_called,
                sleep_zero_is_one_bare_yield,
                a_spurious_wake_does_not_end_a_sleep,
                a_sleep_may_move_to_another_task,
                a_call_from_another_thread_wakes_the_loop,
                a_call_from_another_thread_can_be_cancelled,
                a_wake_from_another_thread_arrives,
                a_panic_in_a_callback_goes_to_the_handler,
                a_panic_in_a_task_goes_to_its_result,
                a_panicking_handler_does_not_stop_the_loop,
                run_cancels_what_main_left,
                run_until_complete_keeps_the_others_for_the_next_run,
                a_nested_run_is_refused,
                a_closed_loop_refuses_to_run,
                a_running_loop_refuses_to_close,
            ]
        );
        $crate::__scenarios!(
            task,
            $flavour,
            (&$make_loop),
            [
                spawn_never_runs_the_body_inline,
                a_dropped_handle_detaches,
                an_unread_error_is_reported,
                awaiting_itself_is_an_error,
                awaiting_a_task_of_another_loop_is_an_error,
                cancel_before_the_first_step_never_runs_the_body,
                cancel_is_delivered_at_the_wait,
                a_cancelled_task_may_clean_up_and_await,
                self_cancel_takes_effect_at_the_next_wait,
                self_cancel_outruns_the_return,
                cancel_of_an_ended_task_is_refused,
                gather_keeps_the_order_of_the_arguments,
                gather_gives_the_first_error_and_the_others_run_on,
                a_dropped_gather_cancels_its_tasks,
                as_completed_gives_the_order_of_ending,
                all_tasks_and_current_task_tell_who_is_there,
                all_tasks_keeps_the_order_of_spawning,
                yielding_tasks_take_turns,
                wakes_coalesce_and_a_wake_of_the_running_task_runs_it_again,
                a_waker_may_outlive_its_loop
            ]
        );
        $crate::__scenarios!(
            future,
            $flavour,
            (&$make_loop),
            [
                a_result_calls_and_wakes_in_the_order_of_registration,
                a_callback_of_a_done_future_is_called_at_the_next_turn,
                a_future_in_the_wrong_state_refuses,
                a_cancelled_future_cancels_those_who_wait,
                a_cancelled_waiter_cancels_the_future,
                a_shield_keeps_a_cancellation_from_a_future,
                an_error_of_a_future_that_nobody_read_is_reported,
                awaiting_a_future_of_another_loop_is_an_error,
                the_end_of_a_task_calls_in_the_order_of_registration,
                a_result_cannot_be_set_on_a_task,
                ensure_future_keeps_identity,
                an_eager_task_runs_to_its_first_wait_at_once,
                a_timer_sets_a_future,
            ]
        );
        $crate::__scenarios!(
            context,
            $flavour,
            (&$make_loop),
            [
                a_task_copies_its_context_at_creation,
                a_callback_has_the_context_of_its_scheduling,
                a_context_is_run_in_or_given_to_a_task,
                tasks_are_not_in_what_is_around_the_loop,
                a_token_resets_in_its_own_context,
                a_context_goes_with_its_task,
            ]
        );
        $crate::__scenarios!(
            cancellation,
            $flavour,
            (&$make_loop),
            [
                a_cancelled_waiter_is_passed_over_by_a_lock,
                cancelled_waiters_are_as_none,
                a_foreign_future_is_dropped_at_the_delivery,
                uncancel_withdraws_what_has_cut_off_no_wait,
                a_swallowed_cancellation_is_not_delivered_again,
                a_task_is_cancelled_when_it_has_ended,
                a_second_cancellation_interrupts_the_cleanup,
                a_cancelled_waiter_cancels_the_task_it_awaits,
                an_awaited_task_may_swallow_the_cancellation_of_its_waiter,
                a_wait_that_was_given_up_cancels_nobody,
                a_circle_of_waiting_tasks_can_be_cancelled,
            ]
        );
        $crate::__scenarios!(
            timeout,
            $flavour,
            (&$make_loop),
            [
                a_timeout_is_over_at_its_time_and_leaves_nothing,
                a_timeout_of_zero_is_over_at_the_first_wait,
                wait_for_without_time_begins_nothing,
                a_timeout_waits_for_the_cleanup_of_a_task,
                a_cancellation_from_outside_wins_over_a_result,
                a_cancellation_of_the_task_passes_a_timeout,
                a_timeout_lets_other_errors_out,
                a_cleanup_may_have_a_timeout,
                of_equal_deadlines_only_the_outermost_is_over,
                a_timeout_can_be_rescheduled,
                two_cancellations_at_once_are_heard_as_one,
            ]
        );
        $crate::__scenarios!(
            scope,
            $flavour,
            (&$make_loop),
            [
                a_shield_keeps_a_cancellation_from_its_task,
                the_cancelled_task_of_a_shield_tells_who_waits,
                a_scope_throws_at_every_wait_until_it_is_left,
                of_scopes_in_each_other_each_takes_its_own,
                a_scope_around_a_future_is_level_triggered,
                a_shielded_cleanup_may_wait_for_its_grace_period,
                a_shield_keeps_a_cancellation_until_it_is_left,
            ]
        );
        $crate::__group_scenarios!($flavour, $make_loop);
        $crate::__loud_scenarios!($flavour, $make_loop);
        $crate::__scenarios!(
            drive,
            $flavour,
            (&$make_loop),
            [
                drive_answers_in_order,
                drive_hands_back_what_the_contract_refuses,
                drive_survives_a_panic_of_the_body,
                a_dropped_handle_ends_the_driven_coroutine,
                drive_lets_the_body_wait,
                an_async_generator_waits_and_yields,
                an_async_generator_refuses_a_second_send,
                a_dropped_async_generator_is_closed_by_the_loop,
                a_run_closes_the_async_generators_that_are_left,
                a_failed_finalisation_is_reported,
                outside_a_loop_a_dropped_async_generator_is_dropped
            ]
        );
        $crate::__scenarios!(
            queue,
            $flavour,
            (&$make_loop),
            [
                getters_are_served_first_come_first_served,
                a_cancelled_waiting_getter_leaves_the_line,
                a_spuriously_woken_getter_keeps_its_place,
                a_bounded_queue_makes_putters_wait_in_order,
                a_cancelled_woken_getter_wakes_the_next,
                a_wake_is_a_hint,
                a_cancelled_woken_putter_wakes_the_next,
                join_waits_for_every_task_done,
                task_done_too_often_is_an_error,
                nowait_hands_back_and_tells,
                a_lifo_queue_gives_the_newest_and_a_priority_queue_the_smallest,
                a_queue_that_is_shut_down_is_drained,
                the_other_queues_wait_and_end_alike,
                a_shutdown_ends_the_waits_of_getters,
                a_shutdown_at_once_unblocks_join_as_far_as_work_is_done,
            ]
        );
        $crate::__scenarios!(
            sync,
            $flavour,
            (&$make_loop),
            [
                what_is_ready_does_not_suspend,
                a_lock_is_handed_over_first_come_first_served,
                a_released_lock_is_promised_to_who_was_woken,
                a_cancelled_woken_waiter_passes_the_lock_on,
                a_cancelled_waiter_leaves_the_line_of_a_lock,
                a_cancelled_holder_releases_its_lock,
                set_and_clear_wake_everybody_who_waited,
                a_cancelled_waiter_leaves_the_event,
                a_oneshot_gives_its_value_or_says_that_none_comes,
                an_unsent_value_comes_back,
                a_sender_waits_for_its_receiver_to_close,
            ]
        );
        $crate::__scenarios!(
            semaphore,
            $flavour,
            (&$make_loop),
            [
                permits_go_to_those_who_waited_first,
                a_semaphore_is_locked_while_a_woken_waiter_has_not_run,
                a_woken_waiter_wakes_as_many_as_there_are_permits,
                a_cancelled_woken_waiter_gives_its_permit_back,
                a_cancelled_waiter_leaves_the_line_of_a_semaphore,
                releasing_a_bounded_semaphore_too_often_is_an_error,
                a_limiter_knows_its_borrowers_and_changes_its_size,
            ]
        );
        $crate::__scenarios!(
            condition,
            $flavour,
            (&$make_loop),
            [
                notifications_wake_those_who_waited_first,
                notify_all_wakes_everybody_who_waited,
                a_cancelled_notified_waiter_notifies_the_next,
                a_cancelled_waiter_leaves_the_condition,
                wait_for_looks_again_after_each_notification,
                conditions_share_a_lock,
                an_interrupted_wait_has_the_lock_again,
                an_interrupted_wait_takes_a_lock_that_was_released_meanwhile,
                a_barrier_opens_when_all_have_arrived_and_numbers_them,
                a_cancel_while_a_barrier_fills_is_no_arrival,
                an_aborted_barrier_is_broken_for_all,
                a_reset_barrier_begins_anew,
            ]
        );
        $crate::__scenarios!(
            shared_value,
            $flavour,
            (&$make_loop),
            [
                readers_share_and_nobody_overtakes,
                a_cancelled_writer_lets_the_readers_behind_it_go,
                a_writer_may_go_over_to_reading,
                a_value_is_made_once,
                a_maker_that_gives_up_passes_the_turn_on,
            ]
        );
        $crate::__scenarios!(
            channel,
            $flavour,
            (&$make_loop),
            [
                a_full_channel_makes_senders_wait,
                without_room_a_send_waits_for_a_receiver,
                a_channel_without_senders_is_drained,
                a_channel_without_receivers_is_broken,
                a_cancelled_woken_receiver_passes_the_item_on,
                a_cancelled_woken_sender_passes_the_room_on,
                a_watch_shows_the_last_value,
                a_broadcast_reaches_all_and_tells_who_lags,
            ]
        );
        $crate::__scenarios!(
            executor,
            $flavour,
            (&$make_loop),
            [
                a_job_gives_its_result,
                a_panic_of_a_job_travels,
                jobs_of_one_worker_keep_their_order,
                a_job_has_no_loop,
                a_job_that_has_not_begun_is_cancelled,
                a_cancelled_wait_does_not_stop_the_job,
                a_panic_of_a_job_that_nobody_awaits_is_reported,
                a_panic_that_is_never_read_is_reported,
                a_run_waits_for_the_jobs_it_left,
                a_shutdown_waits_for_every_job,
                an_abandoned_pool_refuses_what_has_not_begun,
                many_jobs_share_few_workers,
                a_submitted_job_can_be_awaited,
                jobs_that_are_over_at_once_give_way,
            ]
        );
        $crate::__scenarios!(
            network,
            $flavour,
            (&$make_loop),
            [
                an_echo_goes_round,
                a_connection_to_nobody_is_refused,
                the_end_of_the_stream_is_seen_after_the_data,
                a_large_transfer_waits_for_the_reader,
                a_dropped_writer_still_sends_what_it_accepted,
                what_was_written_is_sent_without_a_flush,
                a_cancelled_read_loses_nothing,
                a_cancelled_accept_loses_nothing,
                a_busy_stream_gives_way,
                what_is_always_ready_keeps_no_stream_waiting,
                writing_to_a_closed_peer_fails,
            ]
        );
    };
}
