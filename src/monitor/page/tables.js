// Text in elements, and tables that keep their rows.

function put(node, text) {
  text = String(text);
  if (node.textContent !== text) node.textContent = text;
}

function make(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// Rows are kept by their key, so that what is selected stays. The roles are said, for a phone lays rows out otherwise.
class Table {
  // `columns`: {name, kind, of(row) -> text, or {text, badge} or {text, mood}}; one with `act(row)` and its `meaning`
  // is of buttons.
  // `limit`: so many rows are shown until all are asked for.
  constructor(into, titleId, columns, empty, limit = Infinity) {
    this.limit = limit;
    this.all = false;
    this.shown = [[], String];
    this.columns = columns;
    this.rows = new Map();
    this.empty = make("p", "empty", empty);
    this.table = make("table");
    this.table.setAttribute("role", "table");
    this.table.setAttribute("aria-labelledby", titleId);
    const head = make("thead"), line = make("tr");
    head.setAttribute("role", "rowgroup");
    line.setAttribute("role", "row");
    for (const each of columns) {
      const cell = make("th", each.kind, each.name);
      cell.scope = "col";
      cell.setAttribute("role", "columnheader");
      line.append(cell);
    }
    head.append(line);
    this.body = make("tbody");
    this.body.setAttribute("role", "rowgroup");
    this.table.append(head, this.body);
    this.more = make("button", "more-rows");
    this.more.type = "button";
    this.more.addEventListener("click", () => {
      this.all = !this.all;
      this.show(...this.shown);
    });
    into.append(this.empty, this.table, this.more);
    this.show([], String);
  }

  show(all, key) {
    this.shown = [all, key];
    this.more.hidden = all.length <= this.limit;
    put(this.more, this.all ? `Show ${this.limit}` : `Show all ${all.length}`);
    const rows = this.all ? all : all.slice(0, this.limit);
    this.empty.hidden = rows.length > 0;
    this.table.hidden = rows.length === 0;
    const before = this.rows;
    this.rows = new Map();
    rows.forEach((row, place) => {
      let id = key(row);
      while (this.rows.has(id)) id += "+";
      const line = before.get(id) ?? this.line();
      before.delete(id);
      this.rows.set(id, line);
      this.fill(line, row);
      if (this.body.children[place] !== line) this.body.insertBefore(line, this.body.children[place] ?? null);
    });
    for (const line of before.values()) line.remove();
  }

  line() {
    const line = make("tr");
    line.setAttribute("role", "row");
    for (const each of this.columns) {
      const cell = make("td");
      cell.setAttribute("role", "cell");
      cell.dataset.name = each.name;
      if (each.act) {
        const button = make("button");
        button.type = "button";
        button.title = each.meaning;
        button.addEventListener("click", () => each.act(line.shown));
        cell.append(button);
      }
      line.append(cell);
    }
    return line;
  }

  fill(line, row) {
    line.shown = row;
    this.columns.forEach((column, place) => {
      const cell = line.children[place];
      const value = column.of(row);
      const {text, badge, mood} = value !== null && typeof value === "object" ? value : {text: value};
      const nothing = text === undefined || text === null || text === "";
      const className = [column.kind, mood, nothing && "nothing"].filter(Boolean).join(" ");
      if (cell.className !== className) cell.className = className;
      if (badge !== undefined) {
        if (!cell.firstElementChild) cell.replaceChildren(make("span"));
        cell.firstElementChild.className = `badge ${badge}`;
        put(cell.firstElementChild, text);
      } else {
        put(column.act ? cell.firstElementChild : cell, nothing ? "–" : text);
      }
    });
  }
}
