'use strict';
// Tables sort by the column whose head is pressed; pressed again, the other way round. What has no key stays at the end.
for (const table of document.querySelectorAll('table')) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const keyOf = (row, column) => row.cells[column]?.dataset.key ?? '';
  const sortBy = (column) => {
    const head = heads[column];
    const isNumber = head.classList.contains('number');
    const down = head.getAttribute('aria-sort') === 'ascending';
    const sign = down ? -1 : 1;
    const compare = (a, b) => {
      const x = keyOf(a, column), y = keyOf(b, column);
      if (x === '' || y === '') return (x === '') - (y === '');
      return sign * (isNumber ? x - y : x.localeCompare(y, 'en'));
    };
    body.append(...[...body.rows].sort(compare));
    for (const other of heads) other.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
  };
  heads.forEach((head, column) => head.firstElementChild.addEventListener('click', () => sortBy(column)));
}
