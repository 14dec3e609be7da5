// A part as Streamlit calls it, with a root of this class. What it stands in is marked, for whatever kept its place.
const forStreamlit = (name, mount) => ({ data, parentElement, setStateValue, setTriggerValue }) => {
  const root = parentElement.querySelector(`.${name}`) ?? parentElement.appendChild(element("div", { class: name }));
  root.getRootNode().host?.setAttribute("data-mounted", "");
  followTheme();
  return mount(root, data, (what, value, once) => (once ? setTriggerValue(what, value) : setStateValue(what, value)));
};

// A panel of the workbench that a visitor has just opened comes into view; one that an address names leaves the page as it is.
function reveal(root) {
  if (navigator.userActivation?.isActive) root.getRootNode().host?.closest(".st-key-workbench")?.scrollIntoView({ block: "nearest" });
}

// Streamlit tells only its app whether colours are light or dark; dialogs and popovers stand beside it, and would be light.
function followTheme() {
  const app = document.querySelector('[data-testid="stApp"]'), page = document.documentElement;
  if (!app || page.dataset.themed) return;
  const follow = () => { page.style.colorScheme = getComputedStyle(app).colorScheme; };
  page.dataset.themed = "";
  new MutationObserver(follow).observe(app, { attributes: true, attributeFilter: ["class"] });
  follow();
}
