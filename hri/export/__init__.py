"""What leaves the app.

In reading order; a file imports only those above it:

- film, tables, offline, notebook, script: films and pictures; graphs and tables; a page that plays without a network,
  and in a notebook; the Python that makes a picture
- formats: the one table of all exports, by their ending
"""
