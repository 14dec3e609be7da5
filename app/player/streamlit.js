// A part as Streamlit calls it, with a root of this class.
const forStreamlit = (name, mount) => ({ data, parentElement, setStateValue, setTriggerValue }) => {
  const root = parentElement.querySelector(`.${name}`) ?? parentElement.appendChild(element("div", { class: name }));
  return mount(root, data, (what, value, once) => (once ? setTriggerValue(what, value) : setStateValue(what, value)));
};
