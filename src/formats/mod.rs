//! Text with a grammar: names, ports, quantities, schedules, addresses, dates, images. What does not parse never gets past reading.

mod address;
mod carried;
mod date;
mod image;
mod label;
mod name;
pub mod promql;
mod quantity;
mod schedule;
mod time_zone;

pub use address::{Address, Cidr, Url};
pub use carried::{NOT_CARRIED, check_annotation, check_carried, check_carried_key};
pub use date::Date;
pub use image::{ImageRef, RegistryPrefix};
pub use label::{LabelKey, LabelValue, check_label_domain, is_below, is_domain_within, is_of_network, is_reserved, is_steering};
pub use name::{
    DnsLabel, DnsSubdomain, HostName, PortName, SecretKey, VariableName, check_label, check_service_name, check_subdomain, is_address,
};
pub use quantity::Quantity;
pub use schedule::Schedule;
pub use time_zone::TimeZone;
