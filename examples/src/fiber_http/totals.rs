//! The service: what was sold where, added up from the data of another server.

use std::collections::BTreeMap;
use std::io::Read;

use serde::Deserialize;
use ureq::Agent;

use super::{Request, Response};

/// Adds up the sales of another server, which tells them as CSV, in its currencies, and the rates as JSON.
#[derive(Debug)]
pub struct Totals {
    agent: Agent,
    /// `http://host:port`
    upstream: String,
}

#[derive(Debug, Deserialize)]
struct Sale {
    region: String,
    currency: String,
    amount: u64,
}

impl Totals {
    /// With the data of `upstream`, which is `http://host:port`.
    pub fn new(agent: Agent, upstream: impl Into<String>) -> Self {
        Self { agent, upstream: upstream.into() }
    }

    /// The handler: a plain function, which waits as deep down as it likes.
    pub fn handle(&self, request: &Request) -> Response {
        match (&*request.method, &*request.target) {
            ("GET" | "HEAD", "/totals") => match self.totals() {
                Ok(totals) => Response::new(200, "application/json", totals),
                Err(error) => Response::text(502, error.to_string()),
            },
            ("GET" | "HEAD", _) => Response::text(404, "there is only /totals"),
            _ => Response::text(405, "GET it"),
        }
    }

    fn totals(&self) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
        let rates: BTreeMap<String, u64> = serde_json::from_reader(self.open("/rates.json")?)?;
        let mut totals = BTreeMap::<String, u64>::new();
        // Each record waits for what has not arrived yet, inside of the parser.
        for sale in csv::Reader::from_reader(self.open("/sales.csv")?).deserialize() {
            let Sale { region, currency, amount } = sale?;
            let rate = rates.get(&currency).ok_or_else(|| format!("no rate for {currency}"))?;
            *totals.entry(region).or_default() += amount * rate;
        }
        Ok(serde_json::to_vec(&totals)?)
    }

    fn open(&self, path: &str) -> Result<impl Read, ureq::Error> {
        let answer = self.agent.get(format!("{}{path}", self.upstream)).call()?;
        Ok(answer.into_body().into_reader())
    }
}

/// The other server's handler.
pub fn data(request: &Request) -> Response {
    match &*request.target {
        "/rates.json" => Response::new(200, "application/json", r#"{"EUR": 110, "USD": 100}"#),
        "/sales.csv" => {
            let sales = "region,currency,amount\nnorth,EUR,3\nsouth,USD,2\nnorth,USD,1\n";
            Response::new(200, "text/csv", sales)
        }
        _ => Response::text(404, "there are only /rates.json and /sales.csv"),
    }
}
