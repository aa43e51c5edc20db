// Where the code of one request is: asked for when somebody wants to see it, and again when they say so.

class StackView {
  constructor(into) {
    this.box = into;
    this.row = null;
    this.asked = 0;
    const head = make("div", "head"), again = make("button", "", "Ask again"), close = make("button", "", "Close");
    this.title = make("h3");
    this.note = make("p", "small");
    this.note.setAttribute("role", "status");
    for (const [button, act] of [[again, () => this.open(this.row)], [close, () => this.close()]]) {
      button.type = "button";
      button.addEventListener("click", act);
    }
    head.append(this.title, this.note, again, close);
    this.calls = make("ol", "calls");
    this.box.append(head, this.calls);
  }

  close() {
    this.row = null;
    ++this.asked;
    this.box.hidden = true;
  }

  async open(row) {
    const turn = ++this.asked;
    if (this.row?.id !== row.id) this.calls.replaceChildren();
    this.row = row;
    put(this.title, `${row.method} ${row.path}`);
    put(this.note, "asking the worker");
    this.box.hidden = false;
    this.box.scrollIntoView({block: "nearest"});
    try {
      const told = await ask(`stacks?request=${encodeURIComponent(row.id)}`);
      if (turn === this.asked) this.show(told.requests[0]);
    } catch (failure) {
      if (turn !== this.asked) return;
      if (failure instanceof Refused) return askForToken();
      put(this.note, `No answer from the monitor (${failure.message}).`);
    }
  }

  show(told) {
    const when = new Date().toLocaleTimeString([], {hour12: false});
    if (told === undefined) {
      put(this.note, `It has ended (${when}).`);
      return;
    }
    const where = told.stack === null ? `${told.why}.`
      : told.runs_in === "loop" && !told.holds_loop ? "between two pieces of its response."
      : told.runs_in === "loop" ? "in the worker's loop, which it holds; the innermost call is the last."
      : `in a ${told.runs_in}${told.holds_loop ? ", which holds the loop of its worker" : ""}; the innermost call is the last.`;
    put(this.note, `${when}, after ${write.age(told.age_seconds)}: ${where}`);
    this.calls.replaceChildren(...(told.stack ?? []).map((call) => {
      const item = make("li"), place = make("span", "place", call.file ? `${call.file}:${call.line}` : "");
      item.append(place, make("span", "function", call.function), make("code", "", call.code));
      return item;
    }));
  }
}
