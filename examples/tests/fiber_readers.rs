//! Parsers and writers that take any `Read` or `Write`, over the connections of fibers: serde_json and csv.

mod fiber_common;

use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::net::SocketAddr;

use coro_fiber::net::FiberStream;
use coro_fiber::{WaitError, sleep};
use fiber_common::*;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer as _, Serialize};
use serde_json::{Deserializer, Value, json};

fn connect(address: SocketAddr) -> FiberStream {
    FiberStream::connect(address).unwrap()
}

#[test]
fn documents_are_parsed_while_they_arrive() {
    let log = Log::default();
    let shared = log.clone();
    simulated(move || {
        // The pieces end anywhere.
        let address = serve(|stream| drip(&stream, &["{\"a\": [1", "2, tr", "ue, \"x", "y\"]}"]));
        let parsers: Vec<_> = ["first", "second"]
            .map(|name| {
                let log = shared.clone();
                spawn(move || {
                    let value: Value = serde_json::from_reader(connect(address)).unwrap();
                    assert_eq!(value, json!({"a": [12, true, "xy"]}));
                    log.add(format_args!("{name} has parsed"));
                })
            })
            .into_iter()
            .collect();
        sleep(secs(2)).unwrap();
        shared.add("meanwhile");
        parsers.into_iter().for_each(join);
    });
    log.expect(&["2 meanwhile", "4 first has parsed", "4 second has parsed"]);
}

/// A visitor of serde's, which waits for somebody else after each item that the parser gives it.
struct Items<'a> {
    name: &'static str,
    step: u64,
    log: &'a Log,
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of numbers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<u64, A::Error> {
        let mut sum = 0;
        while let Some(item) = items.next_element::<u64>()? {
            sleep(secs(self.step)).map_err(serde::de::Error::custom)?;
            self.log.add(format_args!("{}: {item}", self.name));
            sum += item;
        }
        Ok(sum)
    }
}

#[test]
fn a_visitor_waits_inside_of_the_parser() {
    let log = Log::default();
    let shared = log.clone();
    simulated(move || {
        let address = serve(|stream| drip(&stream, &["[1, 2", ", 3", "]"]));
        let visits: Vec<_> = [("quick", 0), ("slow", 5)]
            .map(|(name, step)| {
                let log = shared.clone();
                spawn(move || {
                    let mut parser = Deserializer::from_reader(connect(address));
                    let sum = parser.deserialize_seq(Items { name, step, log: &log }).unwrap();
                    log.add(format_args!("{name} sum: {sum}"));
                })
            })
            .into_iter()
            .collect();
        visits.into_iter().for_each(join);
    });
    log.expect(&[
        "1 quick: 1",
        "2 quick: 2",
        "3 quick: 3",
        "3 quick sum: 6",
        "6 slow: 1",
        "11 slow: 2",
        "16 slow: 3",
        "16 slow sum: 6",
    ]);
}

#[test]
fn a_stream_of_documents_gives_each_when_it_is_there() {
    let log = Log::default();
    let shared = log.clone();
    simulated(move || {
        let address = serve(|stream| drip(&stream, &["{\"n\":1}\n{\"n\"", ":2}\n", "{\"n\":3}\n"]));
        let readers: Vec<_> = ["a", "b"]
            .map(|name| {
                let log = shared.clone();
                spawn(move || {
                    for document in Deserializer::from_reader(connect(address)).into_iter::<Value>() {
                        log.add(format_args!("{name} {}", document.unwrap()["n"]));
                        sleep(secs(1)).unwrap();
                    }
                })
            })
            .into_iter()
            .collect();
        readers.into_iter().for_each(join);
    });
    log.expect(&["1 a 1", "1 b 1", "2 a 2", "2 b 2", "3 a 3", "3 b 3"]);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Record {
    city: String,
    people: u32,
}

#[test]
fn records_are_read_and_written_one_by_one() {
    let log = Log::default();
    let shared = log.clone();
    simulated(move || {
        // Reads records, and answers each with one of its own: a pipeline over one connection.
        let served = shared.clone();
        let address = serve(move |stream| {
            let mut answers = csv::Writer::from_writer(stream.try_clone().unwrap());
            for record in csv::Reader::from_reader(&stream).deserialize() {
                let Record { city, people } = record.unwrap();
                served.add(format_args!("server: {city}"));
                answers.serialize(Record { city, people: people + 1 }).unwrap();
                answers.flush().unwrap();
            }
            stream.shutdown(std::net::Shutdown::Write).unwrap();
        });
        let clients: Vec<_> = [("Ulm", 1), ("Bath", 2)]
            .map(|(city, step)| {
                let log = shared.clone();
                spawn(move || {
                    let stream = connect(address);
                    let sending = stream.try_clone().unwrap();
                    let sender = spawn(move || {
                        let city = city.as_bytes();
                        let text = [b"city,people\n\"", city, b"\",1\n", city, b",20", b"0\n"];
                        for piece in text {
                            sleep(secs(step)).unwrap();
                            io::Write::write_all(&mut &sending, piece).unwrap();
                        }
                        sending.shutdown(std::net::Shutdown::Write).unwrap();
                    });
                    let mut records = csv::Reader::from_reader(stream);
                    let records: Vec<Record> = records
                        .deserialize()
                        .map(|record| {
                            let record: Record = record.unwrap();
                            log.add(format_args!("client: {} {}", record.city, record.people));
                            record
                        })
                        .collect();
                    assert_eq!(records.len(), 2);
                    join(sender);
                })
            })
            .into_iter()
            .collect();
        clients.into_iter().for_each(join);
    });
    log.expect(&[
        "3 server: Ulm",
        "3 client: Ulm 2",
        "6 server: Bath",
        "6 server: Ulm",
        "6 client: Bath 2",
        "6 client: Ulm 201",
        "12 server: Bath",
        "12 client: Bath 201",
    ]);
}

#[test]
fn what_is_cut_short_timed_out_or_cancelled_is_the_error_of_the_parser() {
    simulated(|| {
        let address = serve(|stream| {
            drip(&stream, &["[1, "]);
            sleep(secs(10)).unwrap();
        });
        let error = serde_json::from_reader::<_, Value>(connect(address)).unwrap_err();
        assert!(error.is_eof(), "{error}");
        assert_eq!(now(), secs(11));

        let timed = connect(address);
        timed.set_read_timeout(Some(secs(3))).unwrap();
        let error = serde_json::from_reader::<_, Value>(timed).unwrap_err();
        // The parser tries to read the end of the list after that, and waits once more: as it does on a thread.
        assert_eq!((error.io_error_kind(), now()), (Some(ErrorKind::TimedOut), secs(12 + 3 + 3)));

        let csv =
            spawn(move || csv::Reader::from_reader(connect(address)).byte_headers().cloned().unwrap_err());
        sleep(secs(2)).unwrap();
        csv.cancel();
        let csv::ErrorKind::Io(error) = join(csv).into_kind() else { unreachable!() };
        assert!(matches!(error.downcast(), Ok(WaitError::Cancelled(_))));
        assert_eq!(now(), secs(18 + 2));
    });
}

#[test]
fn a_parser_that_tries_again_after_a_cancellation_ends_where_its_connection_is_shut() {
    simulated(|| {
        let address = serve(|stream| {
            drip(&stream, &["[[1, "]);
            sleep(secs(3600)).unwrap();
        });
        let stream = connect(address);
        let shut = stream.try_clone().unwrap();
        let parser = spawn(move || serde_json::from_reader::<_, Value>(stream).unwrap_err());
        sleep(secs(2)).unwrap();
        parser.cancel();
        sleep(secs(2)).unwrap();
        // It has its error, and looks for the ends of both lists.
        assert!(!parser.is_done());
        shut.shutdown(std::net::Shutdown::Read).unwrap();
        assert!(matches!(io::Error::from(join(parser)).downcast(), Ok(WaitError::Cancelled(_))));
        assert_eq!(now(), secs(4));
    });
}

#[test]
fn they_read_over_the_kernel_too() {
    on_both(|| {
        let address = serve(|mut stream| {
            let numbers: Vec<u32> = (0..50_000).collect();
            serde_json::to_writer(io::BufWriter::new(&mut stream), &numbers).unwrap();
        });
        let readers: Vec<_> = (0..4)
            .map(|_| {
                spawn(move || {
                    let numbers: Vec<u32> =
                        serde_json::from_reader(io::BufReader::new(connect(address))).unwrap();
                    assert!(numbers.into_iter().eq(0..50_000));
                })
            })
            .collect();
        readers.into_iter().for_each(join);
        let mut raw = String::new();
        connect(address).take(6).read_to_string(&mut raw).unwrap();
        assert_eq!(raw, "[0,1,2");
    });
}
