//! What a file may say of its own run: when the steady state is looked at, when the rollbacks are run.

use crate::model::vocabulary;

vocabulary!(
    /// When the steady state is looked at.
    Strategy, "strategy" {
        Default = "default",
        BeforeMethod = "before-method-only",
        AfterMethod = "after-method-only",
        DuringMethod = "during-method-only",
        Continuously = "continuously",
        Skip = "skip",
    }
);

vocabulary!(
    /// When the rollbacks are run.
    Rollbacks, "strategy of rollbacks" {
        /// Whatever happened.
        Always = "always",
        Never = "never",
        /// Unless the experiment failed or was interrupted.
        Default = "default",
        /// If the steady state was lost.
        Deviated = "deviated",
    }
);

impl Rollbacks {
    pub fn are_run(self, status: &str, deviated: bool) -> bool {
        match self {
            Rollbacks::Always => true,
            Rollbacks::Never => false,
            Rollbacks::Default => !matches!(status, "failed" | "interrupted"),
            Rollbacks::Deviated => deviated,
        }
    }
}

impl Strategy {
    pub const fn before(self) -> bool {
        matches!(self, Strategy::Default | Strategy::BeforeMethod | Strategy::Continuously)
    }

    pub const fn during(self) -> bool {
        matches!(self, Strategy::DuringMethod | Strategy::Continuously)
    }

    pub const fn after(self) -> bool {
        matches!(self, Strategy::Default | Strategy::AfterMethod | Strategy::Continuously)
    }
}
