//! The same programs in three flavours, and what they share.

#![forbid(unsafe_code)]

pub mod crawl;
pub mod http;
