//! The page of a program of one's own, behind which there is no run of the command's.

use std::sync::Arc;

use acrida_engine::Control;
use acrida_web::{Page, Setup};

use super::collector::Collector;
use super::ticker::Ticker;
use super::web::{self, RunBehind, no_page};
use super::{Host, PAGE_INTERVAL, PageSetup};
use crate::exit::Exit;
use crate::options::Options;

/// The port of a page that is not served yet.
#[derive(Debug)]
pub struct PagePort(Setup);

/// A page that is served until it is stopped.
#[derive(Debug)]
pub struct OwnPage {
    page: Arc<Page>,
    ticker: Ticker,
}

/// What a page shows, and whom it steers.
pub struct Behind {
    /// Who decides.
    pub control: Control,
    /// What was measured.
    pub collector: Arc<Collector>,
    /// Who executes users.
    pub host: Arc<dyn Host>,
}

impl PagePort {
    /// Takes the port that `options` name.
    ///
    /// # Errors
    ///
    /// One line about why that cannot be.
    pub fn bind(options: &Options) -> Result<Self, Exit> {
        web::bind(options).map(Self)
    }

    /// Its number; 0 if the system does not say.
    pub fn number(&self) -> u16 {
        self.0.port().unwrap_or_default()
    }

    /// Serves the page; `percentiles` are those of its files.
    ///
    /// # Errors
    ///
    /// If the system refuses a thread.
    pub fn serve(
        self,
        options: &Options,
        setup: PageSetup,
        percentiles: &[f64],
        behind: Behind,
    ) -> Result<OwnPage, Exit> {
        let run = RunBehind::new(behind.control, behind.collector, behind.host);
        let page = web::serve(self.0, setup, options, percentiles, run).map_err(no_page)?;
        let page = Arc::new(page);
        let beaten = Arc::clone(&page);
        let ticker = Ticker::start("acrida-page", PAGE_INTERVAL, move || beaten.beat());
        let ticker = ticker.map_err(|error| no_page(error.into()))?;
        Ok(OwnPage { page, ticker })
    }
}

impl OwnPage {
    /// Where it is found.
    pub fn url(&self) -> &str {
        self.page.url()
    }

    /// Ends it; answers that are under way have a second to get out.
    pub fn stop(self) {
        self.ticker.stop();
        // The ticker was the only other one who held it.
        if let Some(page) = Arc::into_inner(self.page) {
            page.stop();
        }
    }
}
