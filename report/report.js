/* Comfort only: sorting, filtering, copying, folding. Everything is readable without it. */
(function () {
  "use strict";
  var all = function (selector, root) {
    return Array.prototype.slice.call((root || document).querySelectorAll(selector));
  };
  var element = function (name, className, text) {
    var made = document.createElement(name);
    made.className = className;
    made.textContent = text || "";
    return made;
  };

  function key(row, column) {
    var cell = row.cells[column];
    var number = cell.getAttribute("data-key");
    if (number === null && /^[\d,]+$/.test(cell.textContent)) number = cell.textContent.replace(/,/g, "");
    return number === null ? cell.textContent : Number(number);
  }

  function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return a.localeCompare(b, "en", { numeric: true });
  }

  function sort(table, head, column) {
    var up = head.getAttribute("aria-sort") !== "ascending";
    all("thead th", table).forEach(function (other) { other.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    var rows = all("tbody tr", table).map(function (row, place) {
      return { row: row, key: key(row, column), place: place };
    });
    rows.sort(function (a, b) { return (up ? 1 : -1) * compare(a.key, b.key) || a.place - b.place; });
    rows.forEach(function (item) { table.tBodies[0].appendChild(item.row); });
  }

  function sortable(table) {
    all("thead th", table).forEach(function (head, column) {
      var button = element("button", "sort", head.textContent);
      button.type = "button";
      head.textContent = "";
      head.appendChild(button);
      button.addEventListener("click", function () { sort(table, head, column); });
    });
  }

  function filterable(table) {
    var rows = all("tbody tr", table);
    var tools = element("div", "tools");
    var input = element("input", "");
    var count = element("span", "");
    input.type = "search";
    input.placeholder = "Filter rows";
    input.setAttribute("aria-label", "Filter the rows of: " + table.caption.textContent);
    count.setAttribute("role", "status");
    input.addEventListener("input", function () {
      var wanted = input.value.toLowerCase();
      var shown = 0;
      rows.forEach(function (row) {
        row.hidden = row.textContent.toLowerCase().indexOf(wanted) < 0;
        shown += row.hidden ? 0 : 1;
      });
      count.textContent = wanted ? shown + " of " + rows.length + " rows" : "";
    });
    tools.appendChild(input);
    tools.appendChild(count);
    table.parentNode.parentNode.insertBefore(tools, table.parentNode);
  }

  all("table[id]").forEach(function (table) {
    if (/^(rule|trend|requirement|port|quality|skipped)-/.test(table.id)) return;
    if (table.tBodies[0].rows.length > 1) sortable(table);
    if (table.tBodies[0].rows.length > 12) filterable(table);
  });

  all(".copy").forEach(function (code) {
    var button = element("button", "button", "Copy");
    button.type = "button";
    button.addEventListener("click", function () {
      var range = document.createRange();
      range.selectNodeContents(code);
      var selection = window.getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      var done = function () {
        button.textContent = "Copied";
        setTimeout(function () { button.textContent = "Copy"; }, 1500);
      };
      if (navigator.clipboard) navigator.clipboard.writeText(code.textContent).then(done, function () {});
      else if (document.execCommand("copy")) done();
    });
    code.parentNode.appendChild(button);
  });

  function unfold() {
    var target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (var at = target; at; at = at.parentNode) if (at.tagName === "DETAILS") at.open = true;
    if (target) target.scrollIntoView();
  }
  window.addEventListener("hashchange", unfold);
  unfold();

  var closed = [];
  window.addEventListener("beforeprint", function () {
    closed = all("details:not([open])");
    closed.forEach(function (fold) { fold.open = true; });
  });
  window.addEventListener("afterprint", function () {
    closed.forEach(function (fold) { fold.open = false; });
  });
})();
