// How long something was on the screen: the time in which the page was hidden does not count.

export class Watch {
  constructor() {
    this.seconds = 0;
    this.since = null;
    document.addEventListener("visibilitychange", () => (document.hidden ? this.pause() : this.go()));
  }

  restart(seconds) {
    this.seconds = seconds;
    this.since = null;
    if (!document.hidden) this.go();
  }

  go() {
    this.since ??= performance.now();
  }

  pause() {
    this.seconds = this.read();
    this.since = null;
  }

  read() {
    const running = this.since === null ? 0 : (performance.now() - this.since) / 1000;
    return Math.round((this.seconds + running) * 10) / 10;
  }
}
