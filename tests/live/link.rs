//! A way to a port that can be cut, and at which who uses it can be killed when a certain request passes.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// When the sender of a request dies: before the server has it, or once the server has had time to do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Before,
    After,
}

/// Whoever sends such a request dies.
struct Death {
    is: Box<dyn Fn(&str) -> bool + Send>,
    when: When,
    process: u32,
}

#[derive(Clone)]
pub struct Link {
    pub port: u16,
    cut: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    death: Arc<Mutex<Option<Death>>>,
}

impl Link {
    pub fn to(server: (&str, u16)) -> Link {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap_or_else(|e| panic!("{e}"));
        let port = listener.local_addr().unwrap_or_else(|e| panic!("{e}")).port();
        let link = Link { port, cut: Arc::default(), open: Arc::default(), death: Arc::default() };
        let (own, server) = (link.clone(), (server.0.to_string(), server.1));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Some(server) =
                    TcpStream::connect(&server).ok().filter(|_| !own.cut.load(Ordering::Relaxed))
                else {
                    continue;
                };
                for (from, to, requests) in [(&client, &server, true), (&server, &client, false)] {
                    let (Ok(from), Ok(to), link) = (from.try_clone(), to.try_clone(), own.clone()) else {
                        continue;
                    };
                    std::thread::spawn(move || link.pass(from, to, requests));
                }
                own.open.lock().unwrap_or_else(PoisonError::into_inner).extend([client, server]);
            }
        });
        link
    }

    pub fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::Relaxed);
        for stream in self.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// The process dies at the next such request.
    pub fn kill(&self, is: impl Fn(&str) -> bool + Send + 'static, when: When, process: u32) {
        *self.death.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Death { is: Box::new(is), when, process });
    }

    /// The death that was asked for has come.
    pub fn has_killed(&self) -> bool {
        self.death.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn pass(&self, mut from: TcpStream, mut to: TcpStream, requests: bool) {
        // What of a request came before: its text may arrive in two parts.
        let (mut before, mut part) = (Vec::new(), [0u8; 16_384]);
        while let Some(n) = from.read(&mut part).ok().filter(|n| *n > 0) {
            let death = if requests { self.death_at(&mut before, &part[..n]) } else { None };
            match death {
                Some(Death { when: When::Before, process, .. }) => return signal(process, libc::SIGKILL),
                Some(Death { when: When::After, process, .. }) => {
                    let _ = to.write_all(&part[..n]);
                    std::thread::sleep(Duration::from_millis(300));
                    return signal(process, libc::SIGKILL);
                }
                None if to.write_all(&part[..n]).is_err() => break,
                None => {}
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    }

    /// The death that was asked for, once its request has come.
    fn death_at(&self, before: &mut Vec<u8>, part: &[u8]) -> Option<Death> {
        const MOST: usize = 65_536;
        before.extend_from_slice(part);
        before.drain(..before.len().saturating_sub(MOST));
        let mut death = self.death.lock().unwrap_or_else(PoisonError::into_inner);
        (death.as_ref()?.is)(&String::from_utf8_lossy(before)).then(|| death.take())?
    }
}

/// To a process of the test's own, which has not been waited for.
pub fn signal(process: u32, signal: i32) {
    // SAFETY: no memory is touched.
    unsafe { libc::kill(i32::try_from(process).unwrap_or_default(), signal) };
}
