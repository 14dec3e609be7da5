"""What leaves the app.

In reading order; a file imports only those above it:

- film, poster, figures: films and pictures; the same with graph and error; one frame for a paper, as SVG and PDF
- tables, offline, notebook, script: graphs and tables; a page that plays without a network, and in a notebook; the
  Python that makes a picture
- formats: the one table of all exports, by their ending
"""
